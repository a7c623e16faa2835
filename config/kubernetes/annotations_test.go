package kubernetes_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

func TestAnnotationsOfKongsControllerAreDoneOrRefused(t *testing.T) {
	ingress := func(path, annotations string) string {
		return configtest.Resource("Ingress", "i", annotations, `spec: {rules: [{host: a.example, http: {paths: [{path: "`+path+`", pathType: ImplementationSpecific}]}}]}`)
	}
	c := configtest.Load(t, ingress("/@/v[0-9]", `konghq.com/host-aliases: "b.example, *.c.example", ingress.kubernetes.io/force-ssl-redirect: "true", konghq.com/regex-prefix: "/@",
    konghq.com/headers.x-a: "1;2,3", konghq.com/headers-separator: ";", konghq.com/rewrite: /x, konghq.com/request-buffering: "false", nginx.example/x: y`)+
		configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), load.Options{})
	require.Equal(t, []config.Route{{
		Name: "kong/i", Hosts: []string{"a.example", "b.example", "*.c.example"}, Paths: []string{"~/v[0-9]"},
		Headers: map[string][]string{"x-a": {"1", "2,3"}}, PreserveHost: true, Protocols: []string{"https"}, RedirectStatus: 302,
	}}, configtest.Placeless(c.Routes))

	c = configtest.Load(t, ingress("/", `ingress.kubernetes.io/force-ssl-redirect: "true", konghq.com/https-redirect-status-code: "308"`)+
		configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), load.Options{})
	require.Equal(t, 308, c.Routes[0].RedirectStatus)
	c = configtest.Load(t, ingress("/", `ingress.kubernetes.io/force-ssl-redirect: "false"`)+
		configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+configtest.PluginConfig), load.Options{})
	require.Equal(t, []string{"http", "https"}, c.Routes[0].Protocols)

	for annotation, want := range map[string]string{
		"konghq.com/snis: a.example":   "not supported yet: matching routes by this field",
		"konghq.com/override: x":       "not supported yet: a KongIngress; annotations can say the same",
		"konghq.com/host-aliase: x":    `unknown annotation, did you mean "konghq.com/host-aliases"?`,
		"konghq.com/path-handling: v9": `got string "v9"`,
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(ingress("/", annotation))}}, load.Options{})
		require.ErrorContains(t, err, want)
	}
	_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(ingress("/", "konghq.com/newer: x"))}}, load.Options{})
	require.NoError(t, err)
	require.Contains(t, warnings[0].String(), "metadata.annotations.konghq.com/newer: not read")
}

func TestPluginsOfAnotherNamespace(t *testing.T) {
	text := configtest.Resource("Ingress", "i", `konghq.com/plugins: "kong:p,far:q"`, "spec: {rules: []}") +
		configtest.Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced\ninstance_name: one"+configtest.PluginConfig) +
		configtest.Resource("Service", "s", `konghq.com/plugins: "p"`, "")
	ignoring := load.Options{IgnoredPlugins: []string{"q"}}
	c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, ignoring)
	require.NoError(t, err)
	require.Equal(t, []config.Scope{{Service: "kong/s"}, {Route: "kong/i"}}, configtest.ScopesOf(c))
	require.Contains(t, warnings[0].String(), `names the plugin "far:q", which is not in the files`)
	deck, _, err := load.Convert([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, "deck", ignoring)
	require.NoError(t, err)
	_, _, err = load.Sources([]load.Source{{Name: "kong.yaml", Data: deck}}, load.Options{})
	require.NoError(t, err, "one resource with a name becomes plugins with names of their own")
}
