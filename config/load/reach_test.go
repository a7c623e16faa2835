package load_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

// reachable is a configuration in which requests reach instances of every scope.
const reachable = `_plugin_configs:
  chat: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]}
services:
- {name: served, routes: [{name: r, paths: [/r]}]}
- {name: bare}
- {name: off, enabled: false, routes: [{name: dark, paths: [/dark]}]}
consumers:
- {username: anna, groups: [{name: gold}], keyauth_credentials: [{key: k}]}
- {username: bob, groups: [{name: silver}]}
- {username: nobody, custom_id: n-1, groups: [{name: public}]}
routes: [{name: alone, paths: [/alone]}]
consumer_groups: [{name: gold}, {name: empty}, {name: silver}, {name: public}]
plugins:
- {name: key-auth, config: {anonymous: n-1}}
- {name: ai-proxy-advanced, _config: chat, `

func TestPluginsThatNoRequestReachesAreWarnings(t *testing.T) {
	const unless = "no request reaches the plugin, unless another Envoy names the scope: "
	for scope, want := range map[string]string{
		"enabled: true": "", "service: served": "", "route: r": "", "consumer: anna": "", "consumer_group: gold": "", "consumer: anna, route: r": "",
		"consumer: nobody": "", "consumer_group: public": "", "service: served, route: r": "", "route: alone": "",
		"route: x, enabled: false":      "",
		"service: bare":                 "plugins[1].service: " + unless + "its service has no route",
		"service: off":                  "plugins[1].service: " + unless + "its service is disabled",
		"route: dark":                   "plugins[1]: " + unless + "its service is disabled",
		"consumer: bob":                 "plugins[1].consumer: " + unless + "its consumer has no credential",
		"consumer_group: empty":         "plugins[1].consumer_group: " + unless + "its consumer group has no consumer",
		"consumer_group: silver":        "plugins[1].consumer_group: " + unless + "its consumer group has no consumer with a credential",
		"service: served, route: alone": "plugins[1].route: " + unless + "its route is not one of its service",
		"service: x":                    "plugins[1].service: " + unless + `service "x" is not defined in the files`,
		"route: x":                      "plugins[1].route: " + unless + `route "x" is not defined in the files`,
		"consumer: x, route: r":         "plugins[1].consumer: " + unless + `consumer "x" is not defined in the files`,
		"consumer_group: x":             "plugins[1].consumer_group: " + unless + `consumer group "x" is not defined in the files`,
		"route: routeName|Id":           `plugins[1].route: "routeName|Id" is a placeholder: put the name of a route there. No request reaches the plugin`,
		"route: ROUTE_NAME":             `plugins[1].route: "ROUTE_NAME" is a placeholder: put the name of a route there. No request reaches the plugin`,
		`route: "{routeId}"`:            `plugins[1].route: "{routeId}" is a placeholder: put the name of a route there. No request reaches the plugin`,
	} {
		c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(reachable + scope + "}\n")}}, load.Options{})
		require.NoError(t, err, scope)
		if want == "" {
			require.Empty(t, warnings, scope)
			require.Empty(t, c.Unreached(), scope)
			continue
		}
		require.Len(t, warnings, 1, scope)
		require.Equal(t, "kong.yaml:15: "+want, warnings[0].String())
		require.Len(t, c.Unreached(), 1)
		require.Contains(t, c.Unreached()[0], "kong.yaml:15: no request reaches it: its ")
	}
}

// TestPlaceholdersOfTheExamplesAreNamed: the plugin's documented examples have names that
// the reader has to fill in.
func TestPlaceholdersOfTheExamplesAreNamed(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		scope := filepath.Base(file[:len(file)-len(filepath.Ext(file))])
		if scope == "global" || scope == "README" || filepath.Ext(file) == ".md" {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		_, warnings, err := load.Sources([]load.Source{{Name: file, Data: text}}, load.Options{Env: configtest.AnyVariable})
		require.NoError(t, err, file)
		var all string
		for _, w := range warnings {
			all += w.String() + "\n"
		}
		require.Regexp(t, "is a placeholder|replace |put the name|is not defined in the files|is not attached", all, file)
	}
}

// A service need not be an entity of the files if a route names it, as an Ingress does.
func TestAServiceThatARouteNamesIsReached(t *testing.T) {
	const text = `routes: [{name: r, paths: [/], service: {name: ghost}}]
plugins: [{name: ai-proxy-advanced, service: ghost, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]}}, {name: key-auth, service: ghost}]
`
	c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Empty(t, c.Unreached())
}
