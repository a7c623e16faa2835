package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/app/explain"
)

// scoped is a configuration with instances of several scopes, each with a target
// called like it. None looks at the prompt.
const scoped = `_format_version: "3.0"
_plugin_configs:
  chat: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: gpt-4o}}]}
services:
- name: llm
  routes: [{name: chat}]
consumers:
- {username: anna, custom_id: anna-42, groups: [{name: Gold Users}]}
consumer_groups: [{name: Gold Users}, {name: silver}]
plugins:
- {name: ai-proxy-advanced, _config: chat, service: llm, instance_name: of the service}
- {name: ai-proxy-advanced, _config: chat, consumer_group: silver, route: chat}
- {name: ai-proxy-advanced, _config: chat, consumer_group: Gold Users}
- {name: ai-proxy-advanced, _config: chat, consumer: anna, route: chat}
`

func explainConfig(t *testing.T, text string, flags ...string) (code int, stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kong.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return command(t, append([]string{"explain", "-c", file, "hello"}, flags...)...)
}

func TestExplainFindsTheInstanceByPrecedence(t *testing.T) {
	global := scoped + "- {name: ai-proxy-advanced, _config: chat}\n"
	ids := map[string]bool{}
	for _, tt := range []struct {
		name  string
		flags []string
		scope explain.Scope
		line  string
	}{
		{"nothing given", nil, explain.Scope{}, ":15"},
		{"a route brings its service", []string{"--route", "chat"}, explain.Scope{Service: "llm"}, ":11"},
		{"a consumer brings groups", []string{"--consumer", "anna-42"}, explain.Scope{ConsumerGroup: "Gold Users"}, ":13"},
		{"both", []string{"--consumer", "anna", "--route", "chat"}, explain.Scope{Consumer: "anna", Route: "chat"}, ":14"},
		{"groups", []string{"--group", "silver", "--group", "Gold Users", "--route", "chat"}, explain.Scope{ConsumerGroup: "silver", Route: "chat"}, ":12"},
		{"unknown names", []string{"--route", "other", "--group", "a, b"}, explain.Scope{}, ":15"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := explainConfig(t, global, append(tt.flags, "--json")...)
			require.Zero(t, code, stderr)
			var e explain.Explanation
			require.NoError(t, json.Unmarshal([]byte(stdout), &e))
			require.Equal(t, tt.scope, e.Instance.Scope)
			require.True(t, strings.HasSuffix(e.Instance.Position, "kong.yaml"+tt.line), e.Instance.Position)
			require.Len(t, e.Plan, 1)
			ids[e.Instance.ID] = true
		})
	}
	require.Len(t, ids, 5, "each instance has another id")
}

// TestAnInstanceIDDoesNotDependOnItsFile: replicas have their files at different
// places, and find each other's plans by the instance's ID.
func TestAnInstanceIDDoesNotDependOnItsFile(t *testing.T) {
	ids := map[string]bool{}
	for _, text := range []string{scoped, scoped, "# a comment\n" + scoped} {
		code, stdout, stderr := explainConfig(t, text, "--route", "chat", "--json")
		require.Zero(t, code, stderr)
		var e explain.Explanation
		require.NoError(t, json.Unmarshal([]byte(stdout), &e))
		ids[e.Instance.ID] = true
	}
	require.Len(t, ids, 1)
}

func TestExplainNamesTheInstance(t *testing.T) {
	code, stdout, stderr := explainConfig(t, scoped, "--service", "llm")
	require.Zero(t, code, stderr)
	require.Regexp(t, `(?m)^instance +[0-9a-f]{12} +"of the service", service llm, .*kong\.yaml:11$`, stdout)
	code, stdout, stderr = explainConfig(t, scoped, "--consumer", "anna", "--route", "chat")
	require.Zero(t, code, stderr)
	require.Regexp(t, `(?m)^instance +[0-9a-f]{12} +consumer anna \+ route chat, .*kong\.yaml:14$`, stdout)
}

func TestExplainReportsThatNoInstanceApplies(t *testing.T) {
	for want, flags := range map[string][]string{
		"an anonymous request without a route (give --route, --service, --consumer or --group)": nil,
		"a request of consumer bob + group iron, tin + route other":                             {"--consumer", "bob", "--group", "iron", "--group", "tin", "--route", "other"},
	} {
		code, stdout, stderr := explainConfig(t, scoped, flags...)
		require.Equal(t, 1, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "no ai-proxy-advanced plugin applies to "+want+"; there are instances for service llm (")
		require.Contains(t, stderr, "consumer anna + route chat (")
	}
	code, _, stderr := explainConfig(t, "_format_version: \"3.0\"\n")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "the configuration has no enabled ai-proxy-advanced plugin")
}

func TestExplainChoosesTargetsByRouteType(t *testing.T) {
	const mixed = `_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    targets:
    - {route_type: llm/v1/chat, model: {provider: openai, name: chat}}
    - {route_type: llm/v1/completions, model: {provider: openai, name: text}}
`
	for routeType, model := range map[string]string{"": "openai/chat", "llm/v1/chat": "openai/chat", "llm/v1/completions": "openai/text"} {
		code, stdout, stderr := explainConfig(t, mixed, "--route-type", routeType, "--json")
		require.Zero(t, code, stderr)
		var e explain.Explanation
		require.NoError(t, json.Unmarshal([]byte(stdout), &e))
		require.Len(t, e.Plan, 1)
		require.Equal(t, model, e.Plan[0].Model)
	}
	code, _, stderr := explainConfig(t, mixed, "--route-type", "llm/v1/embeddings")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "there are targets of llm/v1/chat, llm/v1/completions")
}
