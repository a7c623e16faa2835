package deck_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/configtest"
	"semlb/config/load"
)

// remarked is a file with a remark wherever one may be.
const remarked = `_comment: of the file
_ignore:
- &target {model: {provider: openai, name: m}, route_type: llm/v1/chat}
services:
- name: llm
  _comment: of a service
  routes:
  - {name: chat, paths: [/chat], _ignore: [1, {a: b}]}
  plugins:
  - {name: ai-proxy-advanced, _comment: of a plugin, config: {targets: [*target]}}
consumers:
- username: anna
  _ignore: []
  keyauth_credentials: [{key: k, _comment: of a key}]
vaults:
- {name: env, prefix: v, _comment: of a vault}
`

func TestEveryVersionOfTheFormatIsReadWithRemarks(t *testing.T) {
	for _, version := range []string{`"1.1"`, `"2.1"`, `"3.0"`, "1.1", "2.1", "3.0"} {
		c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("_format_version: " + version + "\n" + remarked)}}, load.Options{})
		require.NoError(t, err, version)
		require.Empty(t, warnings, version)
		require.Equal(t, []config.Scope{{Service: "llm"}}, configtest.ScopesOf(c))
		require.Equal(t, "k", c.Consumers[0].KeyAuth[0].Key.Reveal())
	}
	for _, version := range []string{`"2.0"`, "3", `"4.0"`, "[]"} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("_format_version: " + version + "\n" + remarked)}}, load.Options{})
		require.ErrorContains(t, err, "kong.yaml:1: _format_version: got ")
		require.ErrorContains(t, err, ", want 1.1, 2.1 or 3.0")
	}
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(strings.Replace(remarked, "{targets", "{_comment: x, targets", 1))}}, load.Options{})
	require.EqualError(t, err, "kong.yaml:10: services[0].plugins[0].config._comment: unknown field")
}

func TestPathsOfOlderVersionsAreRegularExpressionsIfTheyLookLikeOne(t *testing.T) {
	text := `routes:
- {name: a, paths: ["/v[0-9]+", /plain-1.0/%20_x, "~/x$"]}
services:
- name: s
  routes: [{name: b, paths: ["/(a|b)"]}]
`
	for version, want := range map[string]string{"1.1": "~/", "2.1": "~/", "3.0": ""} {
		c, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("_format_version: \"" + version + "\"\n" + text)}}, load.Options{})
		if want == "" {
			require.ErrorContains(t, err, `routes[0].paths[0]: got string "/v[0-9]+"`)
			continue
		}
		require.NoError(t, err)
		paths := map[string][]string{}
		for _, r := range c.Routes {
			paths[r.Name] = r.Paths
		}
		require.Equal(t, map[string][]string{"a": {"~/v[0-9]+", "/plain-1.0/%20_x", "~/x$"}, "b": {"~/(a|b)"}}, paths)
	}
}
