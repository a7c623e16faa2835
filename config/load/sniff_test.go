package load_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

// TestExamplesAreKnownWithoutTheirEndings gives every example a name that says nothing.
func TestExamplesAreKnownWithoutTheirEndings(t *testing.T) {
	t.Parallel()
	for name, source := range exampleFiles(t) {
		want, _, err := load.Sources(source, load.Options{Env: configtest.AnyVariable})
		require.NoError(t, err)
		for _, bare := range []string{"configuration", "kong.conf", "-"} {
			got, _, err := load.Sources([]load.Source{{Name: bare, Data: source[0].Data}}, load.Options{Env: configtest.AnyVariable})
			require.NoError(t, err, name)
			requireEqual(t, want, got)
		}
	}
}

func TestHereDocumentsAreAppliedAsTheyAreWritten(t *testing.T) {
	applied := `apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: p, labels: {global: "true"}}
plugin: ai-proxy-advanced
config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}, auth: {header_name: A, header_value: VALUE}}]}
`
	for written, want := range map[string]string{
		"cat <<EOF | kubectl apply -f -\n" + strings.Replace(applied, "VALUE", "Bearer $KEY", 1) + "EOF\n":                         "Bearer sk-KEY",
		"kubectl apply -f - <<'EOF'\n" + strings.Replace(applied, "VALUE", `"a\u0024b"`, 1) + "EOF\nkubectl version":               "a$b",
		"kubectl apply -f - << EOF\n" + strings.Replace(applied, "VALUE", `x\$KEY`, 1) + "EOF\n":                                   "x$KEY",
		"kubectl apply -f - <<-END\n\t" + strings.ReplaceAll(strings.Replace(applied, "VALUE", "${KEY}", 1), "\n", "\n\t") + "END": "sk-KEY",
	} {
		c, _, err := load.Sources([]load.Source{{Name: "a.sh", Data: []byte(written)}}, load.Options{Env: configtest.AnyVariable})
		require.NoError(t, err, written)
		require.Len(t, c.Plugins, 1, written)
		require.Equal(t, want, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal(), written)
	}
	_, _, err := load.Sources([]load.Source{{Name: filepath.Join("a", "b.sh"), Data: []byte("set -e\ncat <<EOF | kubectl apply -f -\n" + applied + "nonsense: 1\nEOF")}}, load.Options{})
	require.EqualError(t, err, "a/b.sh:8: nonsense: unknown field", "positions are those of the script")
}
