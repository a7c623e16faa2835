package load_test

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/test/golden"
)

// TestTheCompatibilityDocumentIsUpToDate compares it with what the code says now.
// UPDATE_GOLDEN=1 writes it.
func TestTheCompatibilityDocumentIsUpToDate(t *testing.T) {
	got, err := load.Compatibility()
	require.NoError(t, err)
	golden.Check(t, filepath.Join("..", "..", "docs", "compatibility.md"), string(got))
}

// TestTheExamplesOfDocumentsLoad loads every example in the documents whose first
// line names a file, such as "# kong.yaml", or which begins as a decK file does. Those
// of one heading are loaded together.
func TestTheExamplesOfDocumentsLoad(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	require.NoError(t, err)
	files = append(files, filepath.Join("..", "..", "README.md"))
	fence := regexp.MustCompile("(?ms)^```(?:yaml|json|hcl|sh|terraform)\n(?:(?:#|//) ([\\w.-]+\\.(?:yaml|tf|tfvars|sh|json))\n|(_format_version))(.*?)^```$")
	loaded := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		for _, section := range regexp.MustCompile(`(?m)^##+ .*$`).Split(string(text), -1) {
			var sources []load.Source
			for _, m := range fence.FindAllStringSubmatch(section, -1) {
				if strings.HasPrefix(m[3], "static_resources:") {
					continue // Envoy's own configuration
				}
				sources = append(sources, load.Source{Name: cmp.Or(m[1], "kong.yaml"), Data: []byte(m[2] + m[3])})
			}
			if sources == nil {
				continue
			}
			c, warnings, err := load.Sources(sources, load.Options{Env: configtest.AnyVariable})
			require.NoError(t, err, "%s: %s", file, section)
			require.NotEmpty(t, c.Plugins, "%s: %s", file, section)
			for _, w := range warnings {
				require.NotContains(t, w.Text, "bound to nothing", section)
			}
			loaded++
		}
	}
	require.GreaterOrEqual(t, loaded, 8)
}

func TestVariablesMayBeUnsetWhereOnlyACheckIsWanted(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/*.*")
	require.NoError(t, err)
	for _, file := range files {
		if filepath.Ext(file) == ".go" {
			continue
		}
		_, _, err := load.Files(load.Options{AllowUnset: true}, file)
		require.NoError(t, err, file)
		_, _, err = load.Files(load.Options{}, file)
		require.ErrorContains(t, err, "export ", file)
	}
	text := strings.Replace(configtest.Minimal, "name: gpt-4o", `name: '${{ env "DECK_A" }}'`, 1) +
		"      weight: ${{ env \"DECK_W\" | toInt }}\n      auth: {header_name: A, header_value: '{vault://env/k}'}\n"
	_, _, err = load.Sources([]load.Source{{Name: "a", Data: []byte(text)}}, load.Options{AllowUnset: true})
	require.NoError(t, err)
	_, _, err = load.Sources([]load.Source{{Name: "a", Data: []byte(text + "      wheight: 1\n")}}, load.Options{AllowUnset: true})
	require.EqualError(t, err, `a:9: plugins[0].config.targets[0].wheight: unknown field, did you mean "weight"?`)
}
