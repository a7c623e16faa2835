package cli

import (
	"bytes"
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

// TestABugEndsACommandWithAReference checks that validate tells a bug of semlb from a
// fault of the configuration.
func TestABugEndsACommandWithAReference(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kong.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}, auth: {header_name: A, header_value: $KEY}}]}
`), 0o600))
	var stdout, stderr bytes.Buffer
	env := Environment{Stdout: &stdout, Stderr: &stderr, LookupEnv: func(string) (string, bool) { panic("sk-secret") }}
	require.Equal(t, 2, Main(t.Context(), []string{"validate", file}, env))
	require.Empty(t, stdout.String())
	require.Regexp(t, `^semlb: internal error, reference [0-9a-f]{8}, at cli/validate_test\.go:\d+: this is a bug of semlb, please report it\n$`, stderr.String())
}

func TestValidateNamesTargetsWithoutACredential(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kong.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]}
`), 0o600))
	code, stdout, stderr := command(t, "validate", file)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stdout, "valid")
	require.Contains(t, stderr, "warning: "+file+":4: config.targets[0].auth: this target has no credential")
}
