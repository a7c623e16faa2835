package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bodyOf returns what the shell command of an example sends, with the break in its
// quotes left as it is written.
func bodyOf(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	_, body, found := strings.Cut(string(data), "--data '")
	require.True(t, found)
	return []byte(body[:strings.LastIndex(body, "'")])
}

func TestBodiesOfTheAdminAPILoadAsWritten(t *testing.T) {
	env := environment(map[string]string{"OPENAI_API_KEY": "sk-1"})
	for _, api := range []string{"admin-api", "konnect"} {
		for name, scope := range map[string]Scope{
			"global": {}, "service": {Service: "s"}, "route": {Route: "r"}, "consumer": {Consumer: "c"}, "consumer_group": {ConsumerGroup: "g"},
		} {
			body := bodyOf(t, filepath.Join("..", "examples", api, name+".sh"))
			c, warnings, err := Load([]Source{{Name: "body", Data: body, Scope: scope}}, Options{Env: env})
			require.NoError(t, err)
			require.Empty(t, warnings)
			require.Equal(t, []Scope{scope}, scopesOf(c))
			requireExample(t, c.Plugins[0])
		}
	}
}

func TestBodiesNameTheirOwnScope(t *testing.T) {
	const config = `"config": {"targets": [{"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}`
	c := load(t, `{"name": "ai-proxy-advanced", "service": {"id": "s"}, "route": {"name": "r"}, "consumer": null, `+config+`}`, Options{})
	require.Equal(t, []Scope{{Service: "s", Route: "r"}}, scopesOf(c))

	c = load(t, `{"data": [{"name": "ai-proxy-advanced", `+config+`}, {"name": "ai-proxy-advanced", "consumer": {"id": "c"}, `+config+`}], "next": null}`, Options{})
	require.Equal(t, []Scope{{}, {Consumer: "c"}}, scopesOf(c))

	_, _, err := Load([]Source{{Name: "body", Data: []byte(`{"name": "ai-proxy-advanced", "service": {"id": "a"}, "confg": 1, ` + config + `}`), Scope: Scope{Service: "b"}}}, Options{})
	require.EqualError(t, err, `body:1: service: got another service than the one around the plugin
body:1: confg: unknown field, did you mean "config"?`)
}

func TestFormatsAndDirectoriesMix(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	const config = `{targets: [{model: {provider: openai, name: m}, route_type: llm/v1/chat}]}`
	write("b/deck.yml", "_plugin_configs: {shared: "+config+"}\nplugins: [{name: ai-proxy-advanced, _config: shared}]")
	write("a.yaml", "plugins: [{name: ai-proxy-advanced, service: s, _config: shared}]\nservices: [{name: s}, {name: other}]")
	write("body.json", `{"name": "ai-proxy-advanced", "route": {"id": "r"}, "config": `+
		`{"targets": [{"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}}`)
	write("c.yaml", resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+kubeConfig)+resource("KongConsumer", "c", "konghq.com/plugins: p", "username: c"))
	write("notes.txt", "not read")
	write("..data/a.yaml", "hidden: true")
	write(".hidden.yaml", "hidden: true")
	c, warnings, err := LoadFiles(Options{}, dir)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, []Scope{{Service: "s"}, {}, {Route: "r"}, {Consumer: "c"}}, scopesOf(c))
	require.Equal(t, filepath.Join(dir, "a.yaml"), c.Plugins[0].Position.File)

	_, _, err = LoadFiles(Options{}, t.TempDir())
	require.ErrorContains(t, err, "no .yaml, .yml, .json, .tf or .sh file in it")
}

func TestScopesThatNameNobodyAreWarnedOf(t *testing.T) {
	_, warnings, err := Load([]Source{{Name: "kong.yaml", Data: []byte("services: [{name: s}]\n" + minimal + "  service: t\n")}}, Options{})
	require.NoError(t, err)
	require.Equal(t, "kong.yaml:8: plugins[0].service: no such service is in the files", warnings[0].String())
}
