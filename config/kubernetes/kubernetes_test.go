package kubernetes_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestKubernetesExamplesLoadAsWritten(t *testing.T) {
	env := configtest.Environment(map[string]string{"OPENAI_API_KEY": "sk-1"})
	c, warnings, err := load.Files(load.Options{Env: env}, filepath.Join("..", "..", "examples", "kubernetes", "global.yaml"))
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Len(t, c.Plugins, 1)
	require.True(t, c.Plugins[0].Scope.Global())
	configtest.RequireExample(t, c.Plugins[0])

	const use = `konghq.com/plugins: ai-proxy-advanced`
	for example, tt := range map[string]struct {
		resource string
		want     config.Scope
	}{
		"service":        {configtest.Resource("Service", "llm", use, ""), config.Scope{Service: "kong/llm"}},
		"route":          {configtest.Resource("HTTPRoute", "llm", use, ""), config.Scope{Route: "kong/llm"}},
		"consumer":       {configtest.Resource("KongConsumer", "x", use, "username: anna"), config.Scope{Consumer: "anna"}},
		"consumer_group": {configtest.Resource("KongConsumerGroup", "gold", use, ""), config.Scope{ConsumerGroup: "gold"}},
	} {
		sources, err := load.ReadFiles(t.Context(), filepath.Join("..", "..", "examples", "kubernetes", example+".yaml"))
		require.NoError(t, err)
		c, warnings, err := load.Sources(sources, load.Options{Env: env})
		require.NoError(t, err)
		require.Empty(t, c.Plugins)
		require.Contains(t, warnings[0].String(), `example`)
		require.Contains(t, warnings[0].String(), `KongPlugin "ai-proxy-advanced" is not attached to anything`)

		c, warnings, err = load.Sources(append(sources, load.Source{Name: "more.yaml", Data: []byte(tt.resource)}), load.Options{Env: env})
		require.NoError(t, err)
		require.Empty(t, configtest.BesideReach(warnings))
		require.Equal(t, []config.Scope{tt.want}, configtest.ScopesOf(c))
		configtest.RequireExample(t, c.Plugins[0])
	}
}

func TestPluginResourcesApplyWhereTheyAreBound(t *testing.T) {
	plugin := configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig) + configtest.Resource("KongPlugin", "other", "", "plugin: loggly")
	const use = `konghq.com/plugins: "other, p"`
	service, ingress := configtest.Resource("Service", "s", use, ""), configtest.Resource("Ingress", "i", use, "")
	consumer, group := configtest.Resource("KongConsumer", "c", use, "username: c"), configtest.Resource("KongConsumerGroup", "g", use, "")
	for _, tt := range []struct {
		name, text string
		want       []config.Scope
	}{
		{"nothing", plugin, []config.Scope{}},
		{"service and ingress", plugin + service + ingress, []config.Scope{{Service: "kong/s"}, {Route: "kong/i"}}},
		{"consumer and group", consumer + group + plugin, []config.Scope{{Consumer: "c"}, {ConsumerGroup: "g"}}},
		{"people at places", consumer + plugin + group + ingress, []config.Scope{{Consumer: "c", Route: "kong/i"}, {ConsumerGroup: "g", Route: "kong/i"}}},
		{"another namespace", plugin + strings.ReplaceAll(service, "namespace: kong", "namespace: x"), []config.Scope{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, configtest.ScopesOf(configtest.Load(t, tt.text, load.Options{})))
		})
	}
}

func TestClusterPluginsServeEveryNamespaceAndMayBeGlobal(t *testing.T) {
	text := strings.ReplaceAll(configtest.Resource("KongClusterPlugin", "p", "konghq.com/tags: 'a, b'", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced\ndisabled: true"+configtest.PluginConfig), "  namespace: kong\n", "") +
		configtest.Resource("Service", "s", "konghq.com/plugins: p", "")
	c := configtest.Load(t, text, load.Options{})
	require.Equal(t, []config.Scope{{Service: "kong/s"}, {}}, configtest.ScopesOf(c))
	require.False(t, c.Plugins[0].Enabled)
	require.Equal(t, []string{"a", "b"}, c.Plugins[0].Tags)
}

func TestSecretsFillConfigsAndPatches(t *testing.T) {
	secret := configtest.Resource("Secret", "keys", "", "stringData:\n  name: Authorization\n  header: '\"Bearer unseen-MARKER\"'\n  whole: '{\"targets\":[{\"model\":{\"provider\":\"openai\",\"name\":\"m\"},\"route_type\":\"llm/v1/chat\"}]}'\ndata:\n  encoded: IkJlYXJlciB1bnNlZW4tTUFSS0VSIg==")
	bound := configtest.Resource("Service", "s", "konghq.com/plugins: p", "")
	for key, want := range map[string]string{"header": "Bearer unseen-MARKER", "encoded": "Bearer unseen-MARKER"} {
		plugin := configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig+
			"configPatches:\n- path: /targets/0/auth/header_name\n  valueFrom: {secretKeyRef: {name: keys, key: name}}\n- path: /targets/0/auth/header_value\n  valueFrom: {secretKeyRef: {name: keys, key: "+key+"}}")
		c := configtest.Load(t, plugin+bound+secret, load.Options{})
		require.Equal(t, want, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
	}
	c := configtest.Load(t, configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced\nconfigFrom: {secretKeyRef: {name: keys, key: whole}}")+bound+secret, load.Options{})
	require.Equal(t, "m", c.Plugins[0].Settings.Targets[0].Model.Name)
}

func TestCredentialsOfConsumersComeFromSecrets(t *testing.T) {
	text := configtest.Resource("KongConsumer", "c", "", "username: anna\nconsumerGroups: [gold]\ncredentials: [one, two, three]") +
		configtest.Resource("KongConsumerGroup", "gold", "", "") +
		configtest.Resource("Secret", "one", "", "  labels: {konghq.com/credential: key-auth}\nstringData: {key: unseen-MARKER}") +
		configtest.Resource("Secret", "two", "", "  labels: {konghq.com/credential: basic-auth}\ndata: {username: YW5uYQ==, password: dW5zZWVuLU1BUktFUg==}") +
		configtest.Resource("Secret", "three", "", "  labels: {konghq.com/credential: jwt}\nstringData: {key: issuer, secret: s, algorithm: HS512}")
	anna := configtest.Load(t, text, load.Options{}).Consumers[0]
	require.Equal(t, []string{"gold"}, anna.Groups)
	require.Equal(t, "unseen-MARKER", anna.KeyAuth[0].Key.Reveal())
	require.Equal(t, "anna", anna.BasicAuth[0].Username)
	require.Equal(t, "unseen-MARKER", anna.BasicAuth[0].Password.Reveal())
	require.Equal(t, "HS512", anna.JWTSecrets[0].Algorithm)
}

func TestFaultyResourcesAreNamed(t *testing.T) {
	plugin := func(more string) string {
		return configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced\n"+more)
	}
	ref := "secretKeyRef: {name: k, key: v}"
	secret := func(text string) string { return configtest.Resource("Secret", "k", "", "stringData: {v: '"+text+"'}") }
	for _, tt := range []struct{ name, text, want string }{
		{"no config", plugin(""), "kong.yaml:2: config: got nothing, want an object"},
		{"faults of an unbound plugin", plugin("config: {targets: []}\ndisabled: 3"), "kong.yaml:9: config.targets: got 0 elements, want at least 1\nkong.yaml:10: disabled: got integer 3, want true or false"},
		{"both configs", plugin("config: {targets: []}\nconfigFrom: {"+ref+"}") + secret("{}"), "kong.yaml:10: configFrom: got both config and configFrom, want one of them\nkong.yaml:10: config.targets: got nothing, want a list"},
		{"no secret", plugin("configFrom: {" + ref + "}"), `kong.yaml:9: configFrom.secretKeyRef: no key "v" of a secret "k" in the files`},
		{"no reference", plugin("configFrom: {}"), "kong.yaml:9: configFrom.secretKeyRef: got an incomplete reference, want the name and the key of a secret"},
		{"secret without a value", plugin("configFrom: {"+ref+"}") + secret("[unseen-MARKER"), "kong.yaml:9: configFrom.secretKeyRef: got a secret with an invalid value, want one JSON or YAML value"},
		{"secret of a wrong kind", plugin("configFrom: {"+ref+"}") + secret(`{"targets": "unseen-MARKER", "unseen-MARKER": 1, "llm_format": "unseen-MARKER"}`), "kong.yaml:9: config.targets: got a string, want a list\nkong.yaml:9: config.[redacted]: unknown field\nkong.yaml:9: config.llm_format: got a string [redacted], want one of anthropic, bedrock, cohere, gemini, huggingface, openai\nkong.yaml:9: config.llm_format: not supported yet: formats other than openai"},
		{"patch to nowhere", plugin("config: {targets: [{model: {provider: openai}, route_type: llm/v1/chat}]}\nconfigPatches: [{path: /a/b/c, valueFrom: {"+ref+"}}, {path: a}]") + secret("1"), "kong.yaml:10: configPatches[0].path: no such path in the config\nkong.yaml:10: configPatches[1].valueFrom.secretKeyRef: got an incomplete reference, want the name and the key of a secret\nkong.yaml:10: configPatches[1].path: got an invalid path, want a JSON pointer such as /targets/0/auth"},
		{"same name twice", plugin(configtest.PluginConfig) + plugin(configtest.PluginConfig), "kong.yaml:17: metadata.name: got a second plugin of the same name or id, first at kong.yaml:2"},
		{"consumer without a name", configtest.Resource("KongConsumer", "c", "konghq.com/plugins: p", "") + plugin(configtest.PluginConfig), "kong.yaml:2: got neither a name nor an id, want one of them"},
		{"misspelt field of a consumer", configtest.Resource("KongConsumer", "c", "", "username: c\nusernam: c\ncredentals: []"), "kong.yaml:9: usernam: unknown field, did you mean \"username\"?\nkong.yaml:10: credentals: unknown field, did you mean \"credentials\"?"},
		{"misspelt field of a group", configtest.Resource("KongConsumerGroup", "g", "", "pluginz: 1\nstatuss: {}"), "kong.yaml:8: pluginz: unknown field\nkong.yaml:9: statuss: unknown field, did you mean \"status\"?"},
		{"no name", "apiVersion: v1\nkind: Service\n", "kong.yaml:1: metadata.name: got nothing, want a name"},
		{"version", strings.Replace(plugin(configtest.PluginConfig), "com/v1", "com/v2", 1), `kong.yaml:2: apiVersion: got string "configuration.konghq.com/v2", want configuration.konghq.com/v1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(tt.text)}}, load.Options{})
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestWhatIsNotReadOfAClusterIsAWarning(t *testing.T) {
	for text, want := range map[string]string{
		configtest.Resource("Deployment", "d", "", ""):                                                                              `kong.yaml:2: kind: resource "Deployment" is ignored`,
		"apiVersion: skaffold/v4beta11\nkind: Config\nbuild: {}\n":                                                                  `kong.yaml:1: kind: resource "Config" is ignored`,
		configtest.Resource("KongPlugin", "p", "", "plugin: loggly"):                                                                `kong.yaml:8: plugin: plugin "loggly" is not run`,
		configtest.Resource("KongClusterPlugin", "p", "kubernetes.io/ingress.class: nginx", "plugin: x"):                            `kong.yaml:7: metadata.annotations: resource "KongClusterPlugin" of another ingress class is ignored`,
		configtest.Resource("Service", "s", "konghq.com/plugins: gone", ""):                                                         `kong.yaml:7: metadata.annotations: konghq.com/plugins of Service "s" names the plugin "gone", which is not in the files`,
		configtest.Resource("KongConsumer", "c", "", "username: u\ncredentials: [gone]"):                                            `kong.yaml:9: credentials: secret "gone" is not in the files`,
		configtest.Resource("KongPlugin", "p", "", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced"+configtest.PluginConfig): "kong.yaml:8: metadata.labels.global: only a KongClusterPlugin can be global",
	} {
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
		require.NoError(t, err)
		require.Equal(t, want, warnings[0].String())
	}
	configtest.Load(t, configtest.Resource("KongClusterPlugin", "p", "kubernetes.io/ingress.class: mine", "plugin: ai-proxy-advanced"+configtest.PluginConfig), load.Options{IngressClass: "mine"})
}

func TestListsOfResourcesAreRead(t *testing.T) {
	c := configtest.Load(t, `{"apiVersion": "v1", "kind": "List", "items": [
		{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}},
		{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}}]}`, load.Options{})
	require.Equal(t, []string{"a", "b"}, []string{c.Services[0].Name, c.Services[1].Name})
}

func TestNothingOfTheEnvironmentIsSeenInResources(t *testing.T) {
	const secret = `${{ env "DECK_A" }}`
	text := configtest.Resource("Service", "s", "konghq.com/plugins: "+secret, "") +
		configtest.Resource(secret, "x", "", "") +
		configtest.Resource(secret, "x", "kubernetes.io/ingress.class: x", "") +
		configtest.Resource("KongPlugin", secret, "", "plugin: ai-proxy-advanced"+configtest.PluginConfig) +
		configtest.Resource("KongPlugin", "p", "", "plugin: "+secret) +
		configtest.Resource("KongPlugin", "q", "", "plugin: ai-proxy-advanced\nconfigFrom: {secretKeyRef: {name: "+secret+", key: "+secret+"}}") +
		configtest.Resource("KongConsumer", "c", "", "username: u\ncredentials: ["+secret+", k]") +
		configtest.Resource("Secret", "k", "", "  labels: {konghq.com/credential: "+secret+"}")
	types := "plugins: [!<" + secret + "> x, {name: " + secret + "}]\n"
	_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}, {Name: "types.yaml", Data: []byte(types)}}, load.Options{Env: configtest.Environment(map[string]string{"DECK_A": configtest.Marker})})
	require.Error(t, err)
	require.NotContains(t, err.Error(), configtest.Marker)
	require.Len(t, configtest.BesideReach(warnings), 5, err)
	for _, w := range warnings {
		require.NotContains(t, w.String(), configtest.Marker)
	}
}
