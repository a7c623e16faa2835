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
- {name: plain, id: bare}
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
	return command(t, append([]string{"explain", "--decision-budget", "1m", "-c", file, "hello"}, flags...)...)
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
		{"nothing given", nil, explain.Scope{}, ":16"},
		{"a route brings its service", []string{"--route", "chat"}, explain.Scope{Service: "llm"}, ":12"},
		{"a consumer brings groups", []string{"--consumer", "anna-42"}, explain.Scope{ConsumerGroup: "Gold Users"}, ":14"},
		{"both", []string{"--consumer", "anna", "--route", "chat"}, explain.Scope{Consumer: "anna", Route: "chat"}, ":15"},
		{"groups", []string{"--group", "silver", "--group", "Gold Users", "--route", "chat"}, explain.Scope{ConsumerGroup: "silver", Route: "chat"}, ":13"},
		{"the id of an entity without an instance", []string{"--service", "bare"}, explain.Scope{}, ":16"},
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
	require.Regexp(t, `(?m)^instance +[0-9a-f]{12} +"of the service", service llm, .*kong\.yaml:12$`, stdout)
	code, stdout, stderr = explainConfig(t, scoped, "--consumer", "anna", "--route", "chat")
	require.Zero(t, code, stderr)
	require.Regexp(t, `(?m)^instance +[0-9a-f]{12} +consumer anna \+ route chat, .*kong\.yaml:15$`, stdout)
}

func TestExplainReportsThatNoInstanceApplies(t *testing.T) {
	for want, flags := range map[string][]string{
		"an anonymous request without a route (give --route, --service, --consumer or --group)": nil,
		"a request of group silver + service bare":                                              {"--group", "silver", "--service", "bare"},
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

func TestExplainRefusesScopesThatTheConfigurationDoesNotMention(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--route", "caht"}, `--route: the configuration has no route "caht", and no plugin is bound to one`},
		{[]string{"--service", "x", "--consumer", "bob"}, `--consumer: the configuration has no consumer "bob", and no plugin is bound to one`},
		{[]string{"--route", "chat", "--group", "tin"}, `--group: the configuration has no consumer group "tin", and no plugin is bound to one`},
	} {
		code, stdout, stderr := explainConfig(t, scoped, tt.flags...)
		require.Equal(t, 1, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, tt.want)
	}
	bound := scoped + "- {name: ai-proxy-advanced, _config: chat, route: of another Envoy}\n"
	code, _, stderr := explainConfig(t, bound, "--route", "of another Envoy")
	require.Zero(t, code, stderr)
}

// TestExplainNeedsOnlyTheKeysThatItUses: those of the embedding model and of the vector
// store, of the instance that serves.
func TestExplainNeedsOnlyTheKeysThatItUses(t *testing.T) {
	const text = `_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  service: elsewhere
  config: {targets: [{route_type: llm/v1/chat, model: {provider: azure, name: m, options: {azure_instance: "${{ env "DECK_OTHER" }}", azure_deployment_id: d}}}]}
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: semantic}
    embeddings:
      model: {provider: openai, name: e}
      auth: {header_name: Authorization, header_value: 'Bearer ${{ env "DECK_EMBEDDER" }}'}
    vectordb: {strategy: redis, distance_metric: cosine, dimensions: 4, redis: {host: localhost, password: "{vault://env/redis}"}}
    targets:
    - {route_type: llm/v1/chat, description: cooking, model: {provider: openai, name: m}, auth: {header_name: Authorization, header_value: 'Bearer ${{ env "DECK_TARGET" }}'}}
    - {route_type: llm/v1/chat, description: code, model: {provider: openai, name: n}, auth: {param_name: key, param_value: "$KEY", param_location: query}}
`
	code, stdout, stderr := explainConfig(t, text, "--embeddings", "builtin", "--vectordb", "memory")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "openai/n")
	require.NotContains(t, stdout+stderr, "unset")

	code, _, stderr = explainConfig(t, text, "--vectordb", "memory")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "kong.yaml:11: DECK_EMBEDDER is not set")
	require.NotContains(t, stderr, "redis")
	code, _, stderr = explainConfig(t, text, "--embeddings", "builtin")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "REDIS is not set")
	code, _, stderr = explainConfig(t, text, "--embeddings", "builtin", "--vectordb", "memory", "--service", "elsewhere")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "kong.yaml:5: DECK_OTHER is not set")
}

// guardedScopes has plugins that guard, in several scopes.
const guardedScopes = `_format_version: "3.0"
services: [{name: llm, routes: [{name: chat}]}, {name: other, routes: [{name: open}]}]
consumers:
- {username: anna, acls: [{group: staff}], keyauth_credentials: [{key: annas-key}]}
- {username: bob}
- {username: nobody}
plugins:
- name: ai-proxy-advanced
  config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: gpt-4o}}]}
- {name: request-termination, consumer: bob, config: {status_code: 451}}
- {name: request-termination, route: chat, config: {trigger: x-closed}}
- {name: acl, config: {allow: [staff, admins]}}
- {name: key-auth, config: {key_names: [apikey]}}
- {name: key-auth, route: chat, config: {key_names: [x-key, authorization], key_in_query: false, anonymous: bob}}
- {name: key-auth, route: open, config: {key_names: [x-open], key_in_query: false, anonymous: nobody}}
- {name: jwt, service: llm, config: {cookie_names: [token], header_names: [authorization]}}
- {name: request-size-limiting, enabled: false}
`

func TestExplainListsTheGuardsInTheirOrder(t *testing.T) {
	guards := func(flags ...string) []string {
		code, stdout, stderr := explainConfig(t, guardedScopes, append(flags, "--json")...)
		require.Zero(t, code, stderr)
		var e explain.Explanation
		require.NoError(t, json.Unmarshal([]byte(stdout), &e))
		lines := []string{}
		for _, g := range e.Guards {
			lines = append(lines, g.Plugin+": "+g.Outcome)
		}
		return lines
	}
	const keys = "key-auth: needs a key in header or parameter apikey, else answers 401"
	require.Equal(t, []string{keys, "acl: needs a consumer by its groups: allow staff or admins"}, guards())
	require.Equal(t, []string{keys, "acl: lets the consumer pass"}, guards("--consumer", "anna"))
	require.Equal(t, []string{keys, "acl: answers 403 consumer_not_allowed", "request-termination: answers 451 request_terminated"}, guards("--consumer", "bob"))
	require.Equal(t, []string{
		"jwt: needs a token in header authorization or parameter jwt or cookie token, else answers 401",
		"key-auth: needs a key in header x-key or authorization, else the consumer is bob",
		"acl: needs a consumer by its groups: allow staff or admins",
		"request-termination: answers 503 to requests with header or parameter x-closed",
	}, guards("--route", "chat"))
	const open = "key-auth: needs a key in header x-open, else the consumer is nobody"
	require.Equal(t, []string{open, "acl: answers 401 no_credential"}, guards("--route", "open", "--consumer", "nobody"), "as without a credential")
	require.Equal(t, []string{open, "acl: lets the consumer pass"}, guards("--route", "open", "--consumer", "anna"))

	code, stdout, stderr := explainConfig(t, guardedScopes)
	require.Zero(t, code, stderr)
	require.Regexp(t, `guard +key-auth +needs a key in header or parameter apikey, else answers 401 \(global, .*kong\.yaml:13\)`, stdout)
	require.NotContains(t, stdout, "annas-key")
	code, stdout, _ = explainConfig(t, scoped, "--route", "chat", "--json")
	require.Zero(t, code)
	require.Contains(t, stdout, `"guards": []`)
}
