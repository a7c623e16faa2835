package load_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// guardsEverywhere has the same two plugins, on the service llm, in every format.
var guardsEverywhere = map[string]string{
	"kong.yaml": configtest.Minimal + `_format_version: "3.0"
_plugin_configs: {keys: {key_names: [x-key]}}
services:
- name: llm
  plugins: [{name: key-auth, _config: keys}, {name: acl, config: {allow: [staff]}}]
consumers: [{username: anna, acls: [{group: staff}], keyauth_credentials: [{key: sk-1}]}]
`,
	"cluster.yaml": configtest.Resource("KongClusterPlugin", "ai", "", "  labels: {global: 'true'}\nplugin: ai-proxy-advanced"+configtest.PluginConfig) +
		configtest.Resource("KongPlugin", "keys", "", "plugin: key-auth\nconfigFrom: {secretKeyRef: {name: keys, key: config}}\n") +
		configtest.Resource("KongPlugin", "staff", "", "plugin: acl\nconfig: {allow: [staff]}\n") +
		configtest.Resource("Secret", "keys", "", "stringData: {config: '{\"key_names\": [\"x-key\"]}'}\n") +
		configtest.Resource("Service", "llm", "konghq.com/plugins: 'keys, staff'", "") +
		configtest.Resource("KongConsumer", "anna", "", "username: anna\ncredentials: [key-of-anna, group-of-anna]\n") +
		configtest.Resource("Secret", "key-of-anna", "", "  labels: {konghq.com/credential: key-auth}\nstringData: {key: sk-1}\n") +
		configtest.Resource("Secret", "group-of-anna", "", "  labels: {konghq.com/credential: acl}\nstringData: {group: staff}\n"),
	"main.tf": configtest.TerraformPlugin("", "") + `
resource "konnect_gateway_service" "llm" { name = "llm" }
resource "konnect_gateway_plugin_key_auth" "keys" {
  config  = { key_names = ["x-key"] }
  service = { id = konnect_gateway_service.llm.id }
}
resource "konnect_gateway_plugin_acl" "staff" {
  config  = { allow = ["staff"] }
  service = { id = konnect_gateway_service.llm.id }
}
resource "konnect_gateway_consumer" "anna" { username = "anna" }
resource "konnect_gateway_key_auth" "anna" {
  consumer_id = konnect_gateway_consumer.anna.id
  key         = "sk-1"
}
resource "konnect_gateway_acl" "anna" {
  consumer_id = konnect_gateway_consumer.anna.id
  group       = "staff"
}
`,
	"kong.sh": `curl localhost:8001/plugins --json '{"name": "ai-proxy-advanced", "config": {"targets": [
  {"model": {"provider": "openai", "name": "m"}, "route_type": "llm/v1/chat"}]}}'
curl localhost:8001/services -d name=llm -d url=http://localhost
curl localhost:8001/services/llm/plugins -d name=key-auth -d config.key_names=x-key
curl localhost:8001/services/llm/plugins --json '{"name": "acl", "config": {"allow": ["staff"]}}'
curl localhost:8001/consumers -d username=anna
curl localhost:8001/consumers/anna/key-auth -d key=sk-1
curl localhost:8001/consumers/anna/acls -d group=staff
`,
}

// requireGuards checks what the files of guardsEverywhere say.
func requireGuards(t *testing.T, file, text string) {
	t.Helper()
	c, _, err := load.Sources([]load.Source{{Name: file, Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	require.Len(t, c.Guarding, 2)
	service := c.Services[0].Name
	for _, g := range c.Guarding {
		require.Equal(t, config.Scope{Service: service}, g.Scope)
		require.True(t, g.Enabled)
	}
	guards := c.Guards(config.Request{Service: service})
	require.Equal(t, &config.KeyAuth{KeyNames: []string{"x-key"}, InHeader: true, InQuery: true, RunOnPreflight: true}, guards[0].Settings)
	require.Equal(t, &config.ACL{Allow: []string{"staff"}}, guards[1].Settings)
	require.Empty(t, c.Guards(config.Request{Service: "another"}))
	require.Equal(t, "staff", c.Consumers[0].ACLs[0].Group)
	require.Equal(t, "sk-1", c.Consumers[0].KeyAuth[0].Key.Reveal())
}

func TestPluginsThatGuardAreReadInEveryFormat(t *testing.T) {
	for file, text := range guardsEverywhere {
		t.Run(file, func(t *testing.T) { requireGuards(t, file, text) })
	}
}

// Konnect's provider has a resource for plugins of any name, too.
func TestACustomPluginOfTerraformIsThePluginThatItNames(t *testing.T) {
	text := strings.NewReplacer(
		`"konnect_gateway_plugin_key_auth" "keys" {`, `"konnect_gateway_custom_plugin" "keys" {`+"\n  name = \"key-auth\"",
		`"konnect_gateway_plugin_acl" "staff" {`, `"konnect_gateway_custom_plugin" "staff" {`+"\n  name = \"acl\"",
		`{ key_names = ["x-key"] }`, `jsonencode({ key_names = ["x-key"] })`,
	).Replace(guardsEverywhere["main.tf"])
	requireGuards(t, "main.tf", text)
	for name, want := range map[string]string{
		`"acl"`: "", `"loggly"`: "",
		`"our-own"`: `konnect_gateway_custom_plugin.staff: plugin "our-own" is unknown and may guard an ai-proxy-advanced`,
		`["acl"]`:   "konnect_gateway_custom_plugin.staff.name: got a list, want the name of a plugin",
		`null`:      "konnect_gateway_custom_plugin.staff.name: got nothing, want the name of a plugin",
	} {
		_, err := loadFile("main.tf", strings.Replace(text, `name = "acl"`, "name = "+name, 1), load.Options{})
		if want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, want, name)
	}
	_, err := loadFile("main.tf", strings.Replace(text, `name = "acl"`, "", 1), load.Options{})
	require.ErrorContains(t, err, "konnect_gateway_custom_plugin.staff.name: got nothing, want the name of a plugin")
}

func TestPluginsThatGuardAreWrittenInEveryFormat(t *testing.T) {
	files := map[string]string{
		"deck": "kong.yaml", "kubernetes": "kong.yaml", "terraform": "main.tf", "admin-api": "kong.sh", "konnect": "kong.sh",
	}
	for _, format := range load.Writable() {
		t.Run(format, func(t *testing.T) {
			source := []load.Source{{Name: "kong.yaml", Data: []byte(guardsEverywhere["kong.yaml"])}}
			text, _, err := load.Convert(source, format, load.Options{})
			require.NoError(t, err)
			requireGuards(t, files[format], string(text))
			if format == "deck" || format == "kubernetes" {
				require.Empty(t, violations(t, format, string(text)))
				wrong := strings.Replace(string(text), "key_names", "key_name", 1)
				require.NotEmpty(t, violations(t, format, wrong))
			}
		})
	}
}

// TestGuardsFollowKongsPrecedence: of each plugin the one of the narrowest scope runs.
func TestGuardsFollowKongsPrecedence(t *testing.T) {
	c := configtest.Load(t, configtest.Minimal+`- {name: request-termination, config: {message: global}}
- {name: request-termination, service: s, config: {message: service}}
- {name: request-termination, route: r, config: {message: route}}
- {name: request-termination, consumer: anna, config: {message: consumer}}
- {name: request-termination, consumer_group: gold, route: r, config: {message: group and route}}
- {name: request-termination, consumer: bob, enabled: false}
- {name: key-auth, service: s}
services: [{name: s, routes: [{name: r}]}]
consumers: [{username: anna}, {username: bob}, {username: carol, groups: [{name: gold}]}]
consumer_groups: [{name: gold}]
`, load.Options{})
	for want, r := range map[string]config.Request{
		"global": {}, "service": {Service: "s"}, "route": {Route: "r"}, "consumer": {Service: "s", Consumer: "anna"},
		"group and route": {Route: "r", Consumer: "carol"},
	} {
		guards := c.Guards(r)
		last, ok := guards[len(guards)-1].Settings.(*config.RequestTermination)
		require.True(t, ok)
		require.Equal(t, want, last.Message)
		if r.Service+r.Route != "" {
			require.Equal(t, "key-auth", guards[0].Name)
		}
	}
	require.Len(t, c.Guards(config.Request{Consumer: "bob"}), 1)
}
