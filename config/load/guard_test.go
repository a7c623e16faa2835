package load_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
	"semlb/config/schema"
)

// guarded are configurations in every format with a plugin that guards what an instance
// serves, and how faults begin.
var guarded = map[string]struct{ file, text, at string }{
	"global": {"kong.yaml", configtest.Minimal + "- name: oauth2\n", "kong.yaml:7: plugins[1]: "},
	"within a service": {
		"kong.yaml", configtest.Minimal + "services: [{name: s, plugins: [{name: oauth2}]}]\n",
		"kong.yaml:7: services[0].plugins[0]: ",
	},
	"within a route": {
		"kong.yaml", configtest.Minimal + "services: [{name: s, routes: [{name: r, plugins: [{name: oauth2}]}]}]\n",
		"kong.yaml:7: services[0].routes[0].plugins[0]: ",
	},
	"within a consumer": {
		"kong.yaml", configtest.Minimal + "consumers: [{username: c, plugins: [{name: oauth2}]}]\n",
		"kong.yaml:7: consumers[0].plugins[0]: ",
	},
	"within a group": {
		"kong.yaml", configtest.Minimal + "consumer_groups: [{name: g, plugins: [{name: oauth2}]}]\n",
		"kong.yaml:7: consumer_groups[0].plugins[0]: ",
	},
	"of the service of the instance's route": {"kong.yaml", strings.Replace(configtest.Minimal, "  config:", "  route: r\n  config:", 1) +
		"- {name: oauth2, service: s}\nservices: [{name: s, routes: [{name: r}]}]\n", "kong.yaml:8: plugins[1]: "},
	"JSON": {"kong.json", `{"plugins": [{"name": "oauth2"}, {"name": "ai-proxy-advanced", "config": {"targets": [
		{"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}}]}`, "kong.json:1: plugins[0]: "},
	"a resource": {"kong.yaml", configtest.Resource("KongClusterPlugin", "ai", "", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced"+configtest.PluginConfig) +
		configtest.Resource("KongPlugin", "auth", "", "plugin: oauth2\nconfigFrom: {secretKeyRef: {name: gone, key: k}}\n") +
		configtest.Resource("Service", "s", "konghq.com/plugins: auth", ""), "kong.yaml:23: "},
	"Terraform": {
		"main.tf", configtest.TerraformPlugin("", "") +
			"resource \"konnect_gateway_plugin_oauth2\" \"o\" {\n  config = { provision_key = var.unset }\n}\n",
		"main.tf:8: konnect_gateway_plugin_oauth2.o: ",
	},
	"a custom plugin of Terraform": {
		"main.tf", configtest.TerraformPlugin("", "") +
			"locals { name = \"oauth2\" }\nresource \"konnect_gateway_custom_plugin\" \"o\" {\n  name = local.name\n  config = jsonencode({ a = var.unset })\n}\n",
		"main.tf:10: konnect_gateway_custom_plugin.o: ",
	},
	"a script": {"kong.sh", "curl -X POST localhost:8001/plugins --json '" +
		`{"name": "ai-proxy-advanced", "config": {"targets": [{"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}}` +
		"'\ncurl -d name=oauth2 localhost:8001/services/s/plugins\n", "kong.sh:2: /services/s/plugins: "},
}

func TestAPluginThatGuardsIsNeverDroppedQuietly(t *testing.T) {
	for name, tt := range guarded {
		t.Run(name, func(t *testing.T) {
			_, err := loadFile(tt.file, tt.text, load.Options{})
			require.EqualError(t, err, tt.at+`plugin "oauth2" guards an ai-proxy-advanced and is not supported yet: give --ignore-plugin oauth2 to serve without it`)

			warnings, err := loadFile(tt.file, tt.text, load.Options{IgnoredPlugins: []string{"opa", "oauth2"}})
			require.NoError(t, err)
			require.Contains(t, strings.Join(warnings, "\n"), `plugin "oauth2" is ignored: requests are served without it`)
		})
	}
}

// loadFile loads a file and returns the warnings.
func loadFile(file, text string, opts load.Options) ([]string, error) {
	_, warnings, err := load.Sources([]load.Source{{Name: file, Data: []byte(text)}}, opts)
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	return texts, err
}

func TestAPluginThatGuardsNothingThatIsServedIsAWarning(t *testing.T) {
	onRoute := func(plugin string) string {
		return strings.Replace(configtest.Minimal, "  config:", "  route: r\n  config:", 1) + plugin +
			"\nservices: [{name: s, routes: [{name: r}]}, {name: other, routes: [{name: elsewhere}]}]\n"
	}
	switchedOff := strings.Replace(configtest.Minimal, "  config:", "  enabled: false\n  config:", 1) + "- name: oauth2"
	const nothing = `plugin "oauth2" is not run: it guards no ai-proxy-advanced`
	for text, want := range map[string]string{
		onRoute("- {name: oauth2, route: elsewhere}"):       "kong.yaml:8: plugins[1]: " + nothing,
		onRoute("- {name: oauth2, service: other}"):         "kong.yaml:8: plugins[1]: " + nothing,
		onRoute("- {name: oauth2, service: {name: other}}"): "kong.yaml:8: plugins[1]: " + nothing,
		"plugins: [{name: oauth2}]":                         "kong.yaml:1: plugins[0]: " + nothing,
		switchedOff:                                         "kong.yaml:8: plugins[1]: " + nothing,
	} {
		warnings, err := loadFile("kong.yaml", text, load.Options{})
		require.NoError(t, err, text)
		require.Contains(t, warnings, want)
	}
}

func TestADisabledPluginGuardsNothing(t *testing.T) {
	warnings, err := loadFile("kong.yaml", configtest.Minimal+"- {name: oauth2, enabled: false}\n", load.Options{})
	require.NoError(t, err)
	require.Empty(t, warnings)
	_, err = loadFile("kong.yaml", configtest.Resource("KongClusterPlugin", "ai", "", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced"+configtest.PluginConfig)+
		configtest.Resource("KongClusterPlugin", "o", "", "  labels: {global: 'true'}\nplugin: oauth2\ndisabled: true\n"), load.Options{})
	require.NoError(t, err)
}

func TestNoFormatIsWrittenWithoutAPluginThatGuards(t *testing.T) {
	for _, format := range load.Writable() {
		source := []load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal + "- name: oauth2\n")}}
		_, _, err := load.Convert(source, format, load.Options{})
		require.ErrorContains(t, err, `plugin "oauth2" guards`, format)
		_, _, err = load.Convert(source, format, load.Options{IgnoredPlugins: []string{"oauth2"}})
		require.NoError(t, err, format)
	}
}

func TestTheNameOfAnIgnoredPluginIsNotThatOfTheInstance(t *testing.T) {
	require.NoError(t, load.CheckIgnoredPlugins([]string{"oauth2", "our-own"}))
	for _, name := range []string{"", "ai-proxy-advanced"} {
		require.EqualError(t, load.CheckIgnoredPlugins([]string{name}), fmt.Sprintf("got %q, want the name of a plugin beside ai-proxy-advanced", name))
	}
}

func TestAMisspeltPluginThatGuardsIsAFault(t *testing.T) {
	for name, meant := range map[string]string{"key-auht": "key-auth", "keyauth": "key-auth", "rate-limitting": "rate-limiting", "ai_prompt_guard": "ai-prompt-guard"} {
		text := configtest.Minimal + "- name: " + name + "\n"
		_, err := loadFile("kong.yaml", text, load.Options{})
		require.EqualError(t, err, fmt.Sprintf("kong.yaml:7: plugins[1]: plugin %q is unknown, did you mean %q? It would guard an ai-proxy-advanced: correct the name, or give --ignore-plugin %s to serve without it", name, meant, name))
		_, err = loadFile("kong.yaml", text, load.Options{IgnoredPlugins: []string{name}})
		require.NoError(t, err)
	}
}

func TestNoOtherPluginOfKongIsTakenForOneThatGuards(t *testing.T) {
	for _, name := range schema.Others() {
		warnings, err := loadFile("kong.yaml", configtest.Minimal+"- name: "+name+"\n", load.Options{})
		require.NoError(t, err, name)
		require.Contains(t, strings.Join(warnings, "\n"), "is not run", name)
	}
}

// What is not Kong's may do anything.
func TestAnUnknownPluginMayGuard(t *testing.T) {
	text := configtest.Minimal + "- name: our-own\n"
	_, err := loadFile("kong.yaml", text, load.Options{})
	require.EqualError(t, err, `kong.yaml:7: plugins[1]: plugin "our-own" is unknown and may guard an ai-proxy-advanced: give --ignore-plugin our-own to serve without it`)
	_, err = loadFile("kong.yaml", text, load.Options{IgnoredPlugins: []string{"our-own"}})
	require.NoError(t, err)

	env := configtest.Environment(map[string]string{"DECK_PLUGIN": "key-auht"})
	_, err = loadFile("kong.yaml", configtest.Minimal+"- name: ${{ env \"DECK_PLUGIN\" }}\n", load.Options{Env: env})
	require.ErrorContains(t, err, "give --ignore-plugin NAME to serve without it")
	require.NotContains(t, err.Error(), "key-au")
}

// With a misspelt scope, a plugin would guard nothing, and nobody would notice.
func TestAPluginThatGuardsWhatIsNotThere(t *testing.T) {
	const routed = configtest.Minimal + "routes: [{name: chat, id: 6d5e1b16-1111-4222-8333-abcdefabcdef, paths: [/]}]\n"
	for text, want := range map[string]string{
		routed + "_plugin_configs: {}\nconsumers: [{username: a, plugins: [{name: ip-restriction, config: {allow: [10.0.0.1]}}]}]": "",
		strings.Replace(routed, "plugins:", "plugins:\n- {name: key-auth, route: chat}", 1):                                        "",
		strings.Replace(routed, "plugins:", "plugins:\n- {name: key-auth, route: 6d5e1b16-1111-4222-8333-abcdefabcdef}", 1):        "",
		strings.Replace(routed, "plugins:", "plugins:\n- {name: key-auth, route: chta, enabled: false}", 1):                        "",
		strings.Replace(routed, "plugins:", "plugins:\n- {name: key-auth, route: chta}", 1):                                        "kong.yaml:2: plugins[0].route: got the name of no route in the files, want that of one, or the plugin guards nothing",
	} {
		_, err := loadFile("kong.yaml", text, load.Options{})
		if want == "" {
			require.NoError(t, err, text)
			continue
		}
		require.EqualError(t, err, want)
	}
	warnings, err := loadFile("kong.yaml", configtest.Minimal+"- {name: key-auth, route: \"routeName|Id\"}\n", load.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`kong.yaml:7: plugins[1].route: "routeName|Id" is a placeholder: put the name of a route there. No request reaches the plugin`}, warnings)
}
