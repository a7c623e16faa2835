package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What validate takes has to be what run and serve take, so it makes the targets too.
func TestValidateFindsWhatOnlyTargetsShow(t *testing.T) {
	for model, want := range map[string]string{
		`openai, name: m, options: {upstream_url: "http://exämple.com/"}`:                                            "upstream_url: no valid host",
		`openai, name: m, options: {upstream_path: "no slash"}`:                                                      "upstream_path: ",
		`azure, name: m, options: {azure_instance: "i/..", azure_deployment_id: d, azure_api_version: "2024-10-21"}`: "azure_instance: want letters, digits and hyphens",
	} {
		file := filepath.Join(t.TempDir(), "kong.yaml")
		text := fmt.Sprintf(`_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config: {targets: [{route_type: llm/v1/chat, model: {provider: %s}}]}
`, model)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		code, stdout, stderr := command(t, "validate", file)
		require.Equal(t, 1, code, model)
		require.Empty(t, stdout)
		require.Contains(t, stderr, file+":3: config.targets[0]: ")
		require.Contains(t, stderr, want)
	}
}
