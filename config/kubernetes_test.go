package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// kubeConfig is the config of a plugin resource that loads.
const kubeConfig = `
config:
  targets:
  - model: {provider: openai, name: gpt-4o}
    route_type: llm/v1/chat
    auth: {allow_override: false}
`

// resource returns a document for a resource with what follows its metadata.
func resource(kind, name, annotations, more string) string {
	return fmt.Sprintf("---\napiVersion: configuration.konghq.com/v1\nkind: %s\nmetadata:\n  name: %s\n  namespace: kong\n  annotations: {%s}\n%s\n",
		kind, name, annotations, more)
}

// scopesOf returns the scopes of a configuration's instances.
func scopesOf(c *Config) []Scope {
	scopes := []Scope{}
	for _, p := range c.Plugins {
		scopes = append(scopes, p.Scope)
	}
	return scopes
}

func TestKubernetesExamplesLoadAsWritten(t *testing.T) {
	env := environment(map[string]string{"OPENAI_API_KEY": "sk-1"})
	c, warnings, err := LoadFiles(Options{Env: env}, filepath.Join("..", "examples", "kubernetes", "global.yaml"))
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Len(t, c.Plugins, 1)
	require.True(t, c.Plugins[0].Scope.Global())
	requireExample(t, c.Plugins[0])

	const use = `konghq.com/plugins: ai-proxy-advanced`
	for example, tt := range map[string]struct {
		resource string
		want     Scope
	}{
		"service":        {resource("Service", "llm", use, ""), Scope{Service: "kong/llm"}},
		"route":          {resource("HTTPRoute", "llm", use, ""), Scope{Route: "kong/llm"}},
		"consumer":       {resource("KongConsumer", "x", use, "username: anna"), Scope{Consumer: "anna"}},
		"consumer_group": {resource("KongConsumerGroup", "gold", use, ""), Scope{ConsumerGroup: "gold"}},
	} {
		sources, err := ReadFiles(filepath.Join("..", "examples", "kubernetes", example+".yaml"))
		require.NoError(t, err)
		c, warnings, err := Load(sources, Options{Env: env})
		require.NoError(t, err)
		require.Empty(t, c.Plugins)
		require.Contains(t, warnings[0].String(), `example`)
		require.Contains(t, warnings[0].String(), `KongPlugin "ai-proxy-advanced" is bound to nothing`)

		c, warnings, err = Load(append(sources, Source{Name: "more.yaml", Data: []byte(tt.resource)}), Options{Env: env})
		require.NoError(t, err)
		require.Empty(t, warnings)
		require.Equal(t, []Scope{tt.want}, scopesOf(c))
		requireExample(t, c.Plugins[0])
	}
}

func TestPluginResourcesApplyWhereTheyAreBound(t *testing.T) {
	plugin := resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+kubeConfig)
	const use = `konghq.com/plugins: "other, p"`
	service, ingress := resource("Service", "s", use, ""), resource("Ingress", "i", use, "")
	consumer, group := resource("KongConsumer", "c", use, "username: c"), resource("KongConsumerGroup", "g", use, "")
	for _, tt := range []struct {
		name, text string
		want       []Scope
	}{
		{"nothing", plugin, []Scope{}},
		{"service and ingress", plugin + service + ingress, []Scope{{Service: "kong/s"}, {Route: "kong/i"}}},
		{"consumer and group", consumer + group + plugin, []Scope{{Consumer: "c"}, {ConsumerGroup: "g"}}},
		{"people at places", consumer + plugin + group + ingress, []Scope{{Consumer: "c", Route: "kong/i"}, {ConsumerGroup: "g", Route: "kong/i"}}},
		{"another namespace", plugin + strings.ReplaceAll(service, "namespace: kong", "namespace: x"), []Scope{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, scopesOf(load(t, tt.text, Options{})))
		})
	}
}

func TestClusterPluginsServeEveryNamespaceAndMayBeGlobal(t *testing.T) {
	text := strings.ReplaceAll(resource("KongClusterPlugin", "p", "konghq.com/tags: 'a, b'", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced\ndisabled: true"+kubeConfig), "  namespace: kong\n", "") +
		resource("Service", "s", "konghq.com/plugins: p", "")
	c := load(t, text, Options{})
	require.Equal(t, []Scope{{Service: "kong/s"}, {}}, scopesOf(c))
	require.False(t, c.Plugins[0].Enabled)
	require.Equal(t, []string{"a", "b"}, c.Plugins[0].Tags)
}

func TestSecretsFillConfigsAndPatches(t *testing.T) {
	secret := resource("Secret", "keys", "", "stringData:\n  name: Authorization\n  header: '\"Bearer sk-MARKER\"'\n  whole: '{\"targets\":[{\"model\":{\"provider\":\"openai\",\"name\":\"m\"},\"route_type\":\"llm/v1/chat\"}]}'\ndata:\n  encoded: IkJlYXJlciBzay1NQVJLRVIi")
	bound := resource("Service", "s", "konghq.com/plugins: p", "")
	for key, want := range map[string]string{"header": "Bearer sk-MARKER", "encoded": "Bearer sk-MARKER"} {
		plugin := resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+kubeConfig+
			"configPatches:\n- path: /targets/0/auth/header_name\n  valueFrom: {secretKeyRef: {name: keys, key: name}}\n- path: /targets/0/auth/header_value\n  valueFrom: {secretKeyRef: {name: keys, key: "+key+"}}")
		c := load(t, plugin+bound+secret, Options{})
		require.Equal(t, want, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
	}
	c := load(t, resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced\nconfigFrom: {secretKeyRef: {name: keys, key: whole}}")+bound+secret, Options{})
	require.Equal(t, "m", c.Plugins[0].Settings.Targets[0].Model.Name)
}

func TestCredentialsOfConsumersComeFromSecrets(t *testing.T) {
	text := resource("KongConsumer", "c", "", "username: anna\nconsumerGroups: [gold]\ncredentials: [one, two, three]") +
		resource("KongConsumerGroup", "gold", "", "") +
		resource("Secret", "one", "", "  labels: {konghq.com/credential: key-auth}\nstringData: {key: sk-MARKER}") +
		resource("Secret", "two", "", "  labels: {konghq.com/credential: basic-auth}\ndata: {username: YW5uYQ==, password: c2stTUFSS0VS}") +
		resource("Secret", "three", "", "  labels: {konghq.com/credential: jwt}\nstringData: {key: issuer, secret: s, algorithm: HS512}")
	anna := load(t, text, Options{}).Consumers[0]
	require.Equal(t, []string{"gold"}, anna.Groups)
	require.Equal(t, "sk-MARKER", anna.KeyAuth[0].Key.Reveal())
	require.Equal(t, "anna", anna.BasicAuth[0].Username)
	require.Equal(t, "sk-MARKER", anna.BasicAuth[0].Password.Reveal())
	require.Equal(t, "HS512", anna.JWTSecrets[0].Algorithm)
}

func TestPatchesFollowTheRulesOfAdd(t *testing.T) {
	base := tree(t, map[string]any{"a": []any{1, 2}, "b": map[string]any{"c/d": 3}})
	value := tree(t, map[string]any{"x": 9}).get("x")
	for pointer, want := range map[string]any{
		"n":      map[string]any{"a": []any{1.0, 2.0}, "b": map[string]any{"c/d": 3.0}, "n": 9.0},
		"a":      map[string]any{"a": 9.0, "b": map[string]any{"c/d": 3.0}},
		"a/0":    map[string]any{"a": []any{9.0, 1.0, 2.0}, "b": map[string]any{"c/d": 3.0}},
		"a/2":    map[string]any{"a": []any{1.0, 2.0, 9.0}, "b": map[string]any{"c/d": 3.0}},
		"a/-":    map[string]any{"a": []any{1.0, 2.0, 9.0}, "b": map[string]any{"c/d": 3.0}},
		"b/c~1d": map[string]any{"a": []any{1.0, 2.0}, "b": map[string]any{"c/d": 9.0}},
		"a/3":    nil, "a/x": nil, "a/0/x": nil, "n/x": nil, "a/-/x": nil, "a/-1": nil,
	} {
		got, ok := add(base, strings.Split(pointer, "/"), value)
		require.Equal(t, want != nil, ok, pointer)
		if ok {
			require.Equal(t, want, got.plainValue(), pointer)
		}
	}
}

func TestFaultyResourcesAreNamed(t *testing.T) {
	plugin := func(more string) string {
		return resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced\n"+more)
	}
	ref := "secretKeyRef: {name: k, key: v}"
	secret := func(text string) string { return resource("Secret", "k", "", "stringData: {v: '"+text+"'}") }
	for _, tt := range []struct{ name, text, want string }{
		{"no config", plugin(""), "kong.yaml:2: config: got nothing, want an object"},
		{"faults of an unbound plugin", plugin("config: {targets: []}\ndisabled: 3"), "kong.yaml:9: config.targets: got 0 elements, want at least 1\nkong.yaml:10: disabled: got integer 3, want true or false"},
		{"both configs", plugin("config: {targets: []}\nconfigFrom: {"+ref+"}") + secret("{}"), "kong.yaml:10: configFrom: got both config and configFrom, want one of them\nkong.yaml:10: config.targets: got nothing, want a list"},
		{"no secret", plugin("configFrom: {" + ref + "}"), `kong.yaml:9: configFrom.secretKeyRef: no key "v" of a secret "k" in the files`},
		{"no reference", plugin("configFrom: {}"), "kong.yaml:9: configFrom.secretKeyRef: got no reference, want the name and the key of a secret"},
		{"secret without a value", plugin("configFrom: {"+ref+"}") + secret("[sk-MARKER"), "kong.yaml:9: configFrom.secretKeyRef: got a secret that is none, want one value of JSON or YAML"},
		{"secret of a wrong kind", plugin("configFrom: {"+ref+"}") + secret(`{"targets": "sk-MARKER", "sk-MARKER": 1, "llm_format": "sk-MARKER"}`), "kong.yaml:9: config.targets: got a string, want a list\nkong.yaml:9: config.[redacted]: unknown field\nkong.yaml:9: config.llm_format: got a string [redacted], want one of anthropic, bedrock, cohere, gemini, huggingface, openai\nkong.yaml:9: config.llm_format: not supported yet: formats other than openai"},
		{"patch to nowhere", plugin("config: {targets: [{model: {provider: openai}, route_type: llm/v1/chat}]}\nconfigPatches: [{path: /a/b/c, valueFrom: {"+ref+"}}, {path: a}]") + secret("1"), "kong.yaml:10: configPatches[0].path: no place for it in the config\nkong.yaml:10: configPatches[1].valueFrom.secretKeyRef: got no reference, want the name and the key of a secret\nkong.yaml:10: configPatches[1].path: got no pointer, want a JSON pointer such as /targets/0/auth"},
		{"same name twice", plugin(kubeConfig) + plugin(kubeConfig), "kong.yaml:17: metadata.name: got a second plugin of the same name or id, first at kong.yaml:2"},
		{"consumer without a name", resource("KongConsumer", "c", "konghq.com/plugins: p", "") + plugin(kubeConfig), "kong.yaml:2: got neither a name nor an id, want one of them"},
		{"misspelt field of a consumer", resource("KongConsumer", "c", "", "username: c\nusernam: c\ncredentals: []"), "kong.yaml:9: usernam: unknown field, did you mean \"username\"?\nkong.yaml:10: credentals: unknown field, did you mean \"credentials\"?"},
		{"misspelt field of a group", resource("KongConsumerGroup", "g", "", "pluginz: 1\nstatuss: {}"), "kong.yaml:8: pluginz: unknown field\nkong.yaml:9: statuss: unknown field, did you mean \"status\"?"},
		{"no name", "apiVersion: v1\nkind: Service\n", "kong.yaml:1: metadata.name: got nothing, want a name"},
		{"version", strings.Replace(plugin(kubeConfig), "com/v1", "com/v2", 1), `kong.yaml:2: apiVersion: got string "configuration.konghq.com/v2", want configuration.konghq.com/v1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Load([]Source{{Name: "kong.yaml", Data: []byte(tt.text)}}, Options{})
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestWhatIsNotReadOfAClusterIsAWarning(t *testing.T) {
	for text, want := range map[string]string{
		resource("Deployment", "d", "", ""):                                                                 `kong.yaml:2: kind: resource "Deployment" is not read`,
		resource("KongPlugin", "p", "", "plugin: cors"):                                                     `kong.yaml:8: plugin: plugin "cors" is not run`,
		resource("KongPlugin", "p", "kubernetes.io/ingress.class: nginx", "plugin: x"):                      `kong.yaml:7: metadata.annotations: resource "KongPlugin" of another ingress class is not read`,
		resource("Service", "s", "konghq.com/plugins: gone", ""):                                            `kong.yaml:7: metadata.annotations: plugin "gone" is not in the files`,
		resource("KongConsumer", "c", "", "username: u\ncredentials: [gone]"):                               `kong.yaml:9: credentials: secret "gone" is not in the files`,
		resource("KongPlugin", "p", "", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced"+kubeConfig): "kong.yaml:8: metadata.labels.global: only a KongClusterPlugin can be global",
	} {
		_, warnings, err := Load([]Source{{Name: "kong.yaml", Data: []byte(text)}}, Options{})
		require.NoError(t, err)
		require.Equal(t, want, warnings[0].String())
	}
	load(t, resource("KongPlugin", "p", "kubernetes.io/ingress.class: mine", "plugin: ai-proxy-advanced"+kubeConfig), Options{IngressClass: "mine"})
}

func TestListsOfResourcesAreRead(t *testing.T) {
	c := load(t, `{"apiVersion": "v1", "kind": "List", "items": [
		{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}},
		{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}}]}`, Options{})
	require.Equal(t, []string{"a", "b"}, []string{c.Services[0].Name, c.Services[1].Name})
}

func TestNothingOfTheEnvironmentIsSeenInResources(t *testing.T) {
	const secret = `${{ env "DECK_A" }}`
	text := resource("Service", "s", "konghq.com/plugins: "+secret, "") +
		resource(secret, "x", "", "") +
		resource(secret, "x", "kubernetes.io/ingress.class: x", "") +
		resource("KongPlugin", secret, "", "plugin: ai-proxy-advanced"+kubeConfig) +
		resource("KongPlugin", "p", "", "plugin: "+secret) +
		resource("KongPlugin", "q", "", "plugin: ai-proxy-advanced\nconfigFrom: {secretKeyRef: {name: "+secret+", key: "+secret+"}}") +
		resource("KongConsumer", "c", "", "username: u\ncredentials: ["+secret+", k]") +
		resource("Secret", "k", "", "  labels: {konghq.com/credential: "+secret+"}")
	types := "plugins: [!<" + secret + "> x, {name: " + secret + "}]\n"
	_, warnings, err := Load([]Source{{Name: "kong.yaml", Data: []byte(text)}, {Name: "types.yaml", Data: []byte(types)}}, Options{Env: environment(map[string]string{"DECK_A": marker})})
	require.Error(t, err)
	require.NotContains(t, err.Error(), marker)
	require.Len(t, warnings, 5, err)
	for _, w := range warnings {
		require.NotContains(t, w.String(), marker)
	}
}
