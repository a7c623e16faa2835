package load_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// scopesOfGuards are the scopes that a plugin may have, by the kinds of entities.
var scopesOfGuards = []string{"", config.KindService, config.KindRoute, config.KindConsumer, config.KindConsumerGroup}

// formatsOfGuards make a file in a format with a global instance, and a plugin with settings
// in JSON in the scope of an entity of a kind, which is called x.
var formatsOfGuards = map[string]struct {
	file string
	text func(plugin, settings, kind string) string
}{
	"deck, nested": {"kong.yaml", func(plugin, settings, kind string) string {
		entry := fmt.Sprintf("{name: %s, config: %s}", plugin, settings)
		if kind == "" {
			return configtest.Minimal + "- " + entry + "\n"
		}
		key := map[string]string{config.KindConsumer: "username"}[kind]
		if key == "" {
			key = "name"
		}
		return configtest.Minimal + kind + "s: [{" + key + ": x, plugins: [" + entry + "]}]\n"
	}},
	"deck, by reference": {"kong.yaml", func(plugin, settings, kind string) string {
		return configtest.Minimal + "- " + withReference(fmt.Sprintf("{name: %s, config: %s}", plugin, settings), kind, "x") + "\n"
	}},
	"Admin API, a list": {"plugins.json", func(plugin, settings, kind string) string {
		return `{"next": null, "data": [` + configtest.MinimalJSON + `, ` +
			withReference(fmt.Sprintf(`{"name": %q, "id": null, "config": %s}`, plugin, settings), kind, `{"id": "x"}`) + `]}`
	}},
	"Admin API, bodies": {"plugins.json", func(plugin, settings, kind string) string {
		return configtest.MinimalJSON + "\n---\n" + withReference(fmt.Sprintf(`{"name": %q, "config": %s}`, plugin, settings), kind, `{"id": "x"}`)
	}},
	"Konnect, a list": {"plugins.json", func(plugin, settings, kind string) string {
		return `{"data": [` + configtest.MinimalJSON + `, ` +
			withReference(fmt.Sprintf(`{"created_at": 1, "enabled": true, "id": "9", "name": %q, "config": %s}`, plugin, settings), kind, `{"id": "x"}`) + `], "offset": null}`
	}},
	"Kubernetes": {"cluster.yaml", func(plugin, settings, kind string) string {
		resource := map[string]string{
			config.KindService: configtest.Resource("Service", "x", "konghq.com/plugins: guard", ""), config.KindRoute: configtest.Resource("Ingress", "x", "konghq.com/plugins: guard", ""),
			config.KindConsumer:      configtest.Resource("KongConsumer", "x", "konghq.com/plugins: guard", "username: x"),
			config.KindConsumerGroup: configtest.Resource("KongConsumerGroup", "x", "konghq.com/plugins: guard", ""),
		}[kind]
		what, label := "KongPlugin", ""
		if kind == "" {
			what, label = "KongClusterPlugin", "  labels: {global: 'true'}\n"
		}
		return configtest.Resource("KongClusterPlugin", "ai", "", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced"+configtest.PluginConfig) +
			resource + configtest.Resource(what, "guard", "", label+"plugin: "+plugin+"\nconfig: "+settings)
	}},
	"Terraform": {"main.tf", func(plugin, settings, kind string) string {
		reference := ""
		if kind != "" {
			reference = fmt.Sprintf("  %s = { id = konnect_gateway_%s.x.id }\n", kind, kind)
		}
		return configtest.TerraformPlugin("", "") + fmt.Sprintf("resource \"konnect_gateway_plugin_%s\" \"guard\" {\n  config = jsondecode(%q)\n%s}\n",
			strings.ReplaceAll(plugin, "-", "_"), settings, reference)
	}},
	"a script for the Admin API": {"kong.sh", func(plugin, settings, kind string) string {
		return scriptWith("http://localhost:8001", plugin, settings, kind)
	}},
	"a script for Konnect": {"kong.sh", func(plugin, settings, kind string) string {
		return scriptWith("https://eu.api.konghq.com/v2/control-planes/9524ec7d-36d9-465d-a8c5-83a3c9390458/core-entities", plugin, settings, kind)
	}},
}

// withReference adds the name of an entity to a plugin.
func withReference(entry, kind, name string) string {
	if kind == "" {
		return entry
	}
	return strings.TrimSuffix(entry, "}") + fmt.Sprintf(", %q: %s}", kind, name)
}

// scriptWith returns a script that makes an instance and a plugin below an address.
func scriptWith(address, plugin, settings, kind string) string {
	scope := ""
	if kind != "" {
		scope = "/" + kind + "s/x"
	}
	return fmt.Sprintf("curl -X POST %s/plugins --json '%s'\ncurl -X POST %s%s/plugins --json '{\"name\": %q, \"config\": %s}'\n",
		address, configtest.MinimalJSON, address, scope, plugin, settings)
}

// TestEveryFormatAndScopeServesOrRefusesAPluginThatGuards: none of them drops it.
func TestEveryFormatAndScopeServesOrRefusesAPluginThatGuards(t *testing.T) {
	for name, format := range formatsOfGuards {
		for _, kind := range scopesOfGuards {
			t.Run(name+"/"+kind, func(t *testing.T) {
				read := func(plugin, settings string, o load.Options) (*config.Config, []config.Warning, error) {
					return load.Sources([]load.Source{{Name: format.file, Data: []byte(format.text(plugin, settings, kind))}}, o)
				}
				c, _, err := read("request-termination", `{"status_code": 403}`, load.Options{})
				require.NoError(t, err)
				require.Len(t, c.Guarding, 1)
				require.Equal(t, 403, c.Guarding[0].Settings.(*config.RequestTermination).StatusCode)
				for i, part := range c.Guarding[0].Scope.Parts() {
					require.Equal(t, config.ScopeParts[i] == kind, part != "", "%s is %q", config.ScopeParts[i], part)
				}
				for _, plugin := range []string{"rate-limiting", "our-own"} {
					_, _, err = read(plugin, `{"minute": 1}`, load.Options{})
					require.ErrorContains(t, err, fmt.Sprintf("plugin %q ", plugin))
					require.ErrorContains(t, err, "give --ignore-plugin "+plugin+" to serve without it")
					c, warnings, err := read(plugin, `{"minute": 1}`, load.Options{IgnoredPlugins: []string{plugin}})
					require.NoError(t, err)
					require.Empty(t, c.Guarding)
					require.Contains(t, fmt.Sprint(warnings), fmt.Sprintf("plugin %q is ignored: requests are served without it", plugin))
				}
			})
		}
	}
}

// TestWhatMayHideAPluginThatGuardsIsAFault: what is not read is not dropped quietly.
func TestWhatMayHideAPluginThatGuardsIsAFault(t *testing.T) {
	list := `{"data": [` + configtest.MinimalJSON + `], "next": "/plugins?offset=9"}`
	const guards = " It may guard an ai-proxy-advanced: "
	for _, tt := range []struct{ file, text, ignored, want string }{
		{"main.tf", configtest.TerraformPlugin("", "") + "module \"auth\" {\n  source = \"./auth\"\n  control_plane_id = var.cp\n}\n", "module.auth", `main.tf:8: block "module auth" is not read.` + guards + "write its resources in these files"},
		{"main.tf", configtest.TerraformPlugin("", "") + "resource \"kong_plugin\" \"keys\" {\n  name = \"key-auth\"\n}\n", "kong_plugin.keys", `main.tf:8: resource "kong_plugin.keys" is not read.` + guards + "write it as a resource of Konnect's provider"},
		{"plugins.json", list, "next", "plugins.json:1: next: the list goes on, and its last page is not in the files." + guards + "add the other pages"},
		{"kong.yaml", configtest.Minimal + "filter_chains: [{filters: [{name: waf}]}]\n", "filter_chains", "kong.yaml:7: filter_chains: filter chains are not read." + guards + "take them away"},
	} {
		source := []load.Source{{Name: tt.file, Data: []byte(tt.text)}}
		_, _, err := load.Sources(source, load.Options{})
		require.EqualError(t, err, tt.want+", or give --ignore-plugin "+tt.ignored+" to serve without it")
		_, warnings, err := load.Sources(source, load.Options{IgnoredPlugins: []string{tt.ignored}})
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(warnings), "it is ignored: requests are served without it")
	}
	_, _, err := load.Sources([]load.Source{{Name: "1.json", Data: []byte(list)}, {Name: "2.json", Data: []byte(`{"data": [], "next": null}`)}}, load.Options{})
	require.NoError(t, err, "all pages are there")
	warnings, err := loadFile("main.tf", configtest.TerraformPlugin("", "")+"module \"vpc\" {\n  source = \"./vpc\"\n}\n", load.Options{})
	require.NoError(t, err)
	require.Contains(t, warnings, `main.tf:8: block "module vpc" is ignored`)
}
