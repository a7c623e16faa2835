package load_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestBodiesOfTheAdminAPILoadAsWritten(t *testing.T) {
	env := configtest.Environment(map[string]string{"OPENAI_API_KEY": "sk-1"})
	for _, api := range []string{"admin-api", "konnect"} {
		for name, scope := range map[string]config.Scope{
			"global": {}, "service": {Service: "s"}, "route": {Route: "r"}, "consumer": {Consumer: "c"}, "consumer_group": {ConsumerGroup: "g"},
		} {
			body := configtest.BodyOf(t, filepath.Join("..", "..", "examples", api, name+".sh"))
			c, warnings, err := load.Sources([]load.Source{{Name: "body", Data: body, Scope: scope}}, load.Options{Env: env})
			require.NoError(t, err)
			require.Empty(t, configtest.BesideReach(warnings))
			require.Equal(t, []config.Scope{scope}, configtest.ScopesOf(c))
			configtest.RequireExample(t, c.Plugins[0])
		}
	}
}

func TestBodiesNameTheirOwnScope(t *testing.T) {
	const settings = `"config": {"targets": [{"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}`
	c := configtest.Load(t, `{"name": "ai-proxy-advanced", "service": {"id": "s"}, "route": {"name": "r"}, "consumer": null, `+settings+`}`, load.Options{})
	require.Equal(t, []config.Scope{{Service: "s", Route: "r"}}, configtest.ScopesOf(c))

	c = configtest.Load(t, `{"data": [{"name": "ai-proxy-advanced", `+settings+`}, {"name": "ai-proxy-advanced", "consumer": {"id": "c"}, `+settings+`}], "next": null}`, load.Options{})
	require.Equal(t, []config.Scope{{}, {Consumer: "c"}}, configtest.ScopesOf(c))

	_, _, err := load.Sources([]load.Source{{Name: "body", Data: []byte(`{"name": "ai-proxy-advanced", "service": {"id": "a"}, "confg": 1, ` + settings + `}`), Scope: config.Scope{Service: "b"}}}, load.Options{})
	require.EqualError(t, err, `body:1: service: got a different service than that of the enclosing entity
body:1: confg: unknown field, did you mean "config"?`)
}

func TestFormatsAndDirectoriesMix(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	const settings = `{targets: [{model: {provider: openai, name: m}, route_type: llm/v1/chat}]}`
	write("b/deck.yml", "_plugin_configs: {shared: "+settings+"}\nplugins: [{name: ai-proxy-advanced, _config: shared}]")
	write("a.yaml", "plugins: [{name: ai-proxy-advanced, service: s, _config: shared}]\nservices: [{name: s}, {name: other}]")
	write("body.json", `{"name": "ai-proxy-advanced", "route": {"id": "r"}, "config": `+
		`{"targets": [{"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}}`)
	write("c.yaml", configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig)+configtest.Resource("KongConsumer", "c", "konghq.com/plugins: p", "username: c"))
	write("notes.txt", "not read")
	write("..data/a.yaml", "hidden: true")
	write(".hidden.yaml", "hidden: true")
	c, warnings, err := load.Files(load.Options{}, dir)
	require.NoError(t, err)
	require.Empty(t, configtest.BesideReach(warnings))
	require.Equal(t, []config.Scope{{Service: "s"}, {}, {Route: "r"}, {Consumer: "c"}}, configtest.ScopesOf(c))
	require.Equal(t, filepath.Join(dir, "a.yaml"), c.Plugins[0].Position.File)

	_, _, err = load.Files(load.Options{}, t.TempDir())
	require.ErrorContains(t, err, "no .yaml, .yml, .json, .tf, ")
	require.ErrorContains(t, err, " file in it")
}
