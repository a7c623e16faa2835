package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// command runs a command line without any variable set.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, Environment{
		Stdout: &out, Stderr: &errs, LookupEnv: func(string) (string, bool) { return "", false },
	})
	return code, out.String(), errs.String()
}

func example(parts ...string) string {
	return filepath.Join(append([]string{"..", "examples"}, parts...)...)
}

func TestConvertPrintsOrWritesAFile(t *testing.T) {
	code, stdout, stderr := command(t, "convert", "--to", "terraform", example("deck", "global.yaml"))
	require.Zero(t, code, stderr)
	require.Empty(t, stderr)
	require.Contains(t, stdout, `header_value = "Bearer ${var.openai_api_key}"`)

	file := filepath.Join(t.TempDir(), "main.tf")
	code, printed, stderr := command(t, "convert", "--to", "terraform", "-o", file, example("deck", "global.yaml"))
	require.Zero(t, code, stderr)
	require.Empty(t, printed)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, stdout, string(written))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode(), "a source may hold credentials")
}

func TestConvertReportsFaults(t *testing.T) {
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"no format: give --to FORMAT, one of deck, kubernetes, terraform, admin-api or konnect", []string{"convert", example("deck", "global.yaml")}},
		{`convert to "xml": want deck, kubernetes, terraform, admin-api or konnect`, []string{"convert", "--to", "xml", example("deck", "global.yaml")}},
		{"convert: there is nothing to convert", []string{"convert", "--to", "deck", fileOf(t, "kong.yaml", "_format_version: '3.0'")}},
		{"no such file", []string{"convert", "--to", "deck", "none.yaml"}},
		{"write " + filepath.Join("none", "a"), []string{"convert", "--to", "deck", "-o", filepath.Join("none", "a"), example("deck", "global.yaml")}},
	} {
		code, stdout, stderr := command(t, tt.args...)
		require.Equal(t, 1, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, tt.want)
	}
}

func TestConvertKeepsUnboundPlugins(t *testing.T) {
	file := example("kubernetes", "service.yaml")
	code, stdout, stderr := command(t, "convert", "--to", "kubernetes", file)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "kind: KongPlugin\n")
	code, stdout, stderr = command(t, "convert", "--to", "deck", file)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "enabled: false\n")
	require.Contains(t, stderr, `KongPlugin "ai-proxy-advanced" is not attached to anything; it becomes a disabled global instance`)
}

func TestSchemaPrintsJSONSchema(t *testing.T) {
	for _, format := range []string{"deck", "kubernetes", "admin-api"} {
		code, stdout, stderr := command(t, "schema", "--format", format)
		require.Zero(t, code, stderr)
		var schema map[string]any
		require.NoError(t, json.Unmarshal([]byte(stdout), &schema))
		require.Equal(t, "https://json-schema.org/draft/2020-12/schema", schema["$schema"])
	}
	code, _, stderr := command(t, "schema", "--format", "xml")
	require.Equal(t, 1, code)
	require.Equal(t, "semlb: schema of \"xml\": want deck, kubernetes or admin-api\n", stderr)
}

func TestValidateWithoutKeys(t *testing.T) {
	code, stdout, stderr := command(t, "validate", example("deck", "global.yaml"))
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "global.yaml:17: DECK_OPENAI_API_KEY is not set: export DECK_OPENAI_API_KEY=…\n")
	code, stdout, stderr = command(t, "validate", "--allow-unset", example("deck", "global.yaml"))
	require.Zero(t, code, stderr)
	require.Equal(t, "valid, with 1 instance of ai-proxy-advanced\n", stdout)
}

func TestValidateReportsThatNothingIsInForce(t *testing.T) {
	code, stdout, stderr := command(t, "validate", "--allow-unset", example("kubernetes", "consumer.yaml"))
	require.Zero(t, code)
	require.Contains(t, stderr, `KongPlugin "ai-proxy-advanced" is not attached to anything`)
	require.Equal(t, "valid, but without effect: there is no instance of ai-proxy-advanced\n", stdout)

	file := filepath.Join(t.TempDir(), "kong.yaml")
	plugin := "- {name: ai-proxy-advanced, enabled: %, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]}}\n"
	off := "plugins:\n" + string(bytes.ReplaceAll([]byte(plugin), []byte("%"), []byte("false")))
	require.NoError(t, os.WriteFile(file, []byte(off), 0o600))
	_, stdout, _ = command(t, "validate", file)
	require.Equal(t, "valid, but without effect: 1 instance of ai-proxy-advanced, none enabled\n", stdout)
	both := off + string(bytes.ReplaceAll([]byte(plugin), []byte("enabled: %"), []byte("route: r")))
	require.NoError(t, os.WriteFile(file, []byte(both), 0o600))
	_, stdout, _ = command(t, "validate", file)
	require.Equal(t, "valid, with 2 instances of ai-proxy-advanced, 1 enabled\n", stdout)
}
