package openai_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/providertest"
)

const chat = `{"model":"m","messages":[]}`

// rewrite rewrites a valid body for a target of valid settings.
func rewrite(t *testing.T, s provider.Settings, body string) provider.Rewrite {
	t.Helper()
	req, err := provider.ReadRequest([]byte(body))
	require.NoError(t, err)
	w, err := providertest.NewTarget(t, s).Rewrite(req, provider.Client{})
	require.NoError(t, err)
	return w
}

// The names are OpenAI's and Azure's own.
func TestTheLimitOfTokensIsNamedByTheFamily(t *testing.T) {
	for field, models := range map[string][]string{
		"max_tokens": {
			"gpt-35-turbo", "gpt-35-turbo-16k", "gpt-35-turbo-0125", "gpt-35-turbo-instruct", "gpt-3.5-turbo", "gpt-3.5-turbo-0613", "ft:gpt-3.5-turbo-0125:org::id",
			"gpt-4", "gpt-4-32k", "gpt-4-0613", "gpt-4-1106-preview", "gpt-4-turbo-2024-04-09", "gpt-4o", "gpt-4o-mini-2024-07-18", "GPT-4O", "chatgpt-4o-latest",
			"gpt-4.1", "gpt-4.1-nano", "gpt-41-mini", "gpt-4.5-preview", "gpt-45-preview", "openai/gpt-4o", "prod-gpt-4o", "eu_gpt35", "team.gpt-4.1",
			"gpt-oss-120b", "my-deployment", "omni", "o", "o1x", "olmo-2", "gpt-", "3.5-turbo", "m", "", "crm-o365", "foo-4o", "my-o", "pro1", "egpt-5",
		},
		"max_completion_tokens": {
			"o1", "o1-mini", "o1-preview-2024-09-12", "o3", "O3-mini", "o3-mini.ft-1", "o4-mini-2025-04-16", "ft:o4-mini-2025-04-16:org", "o10-pro", "openai/o3",
			"gpt-5", "gpt-5-mini", "gpt-5.1", "gpt-5.1-codex-max", "gpt-51", "gpt-5-chat-latest", "gpt-5-2025-08-07", "gpt5-nano", "gpt-6", "gpt-10", "gpt-100o", "openai/gpt-5.2", "prod-gpt-5", "eu_o3-mini", "team-o1", "gpt5_eu",
		},
	} {
		for _, model := range models {
			for _, name := range []string{"openai", "azure"} {
				s := provider.Settings{Provider: name, Model: model, Options: provider.Options{UpstreamURL: "https://h", MaxTokens: "7"}}
				w := rewrite(t, s, `{"model":"m","messages":[],"max_tokens":1,"max_completion_tokens":2}`)
				var got map[string]any
				require.NoError(t, json.Unmarshal(w.Body, &got))
				delete(got, "model")
				require.Equal(t, map[string]any{"messages": []any{}, field: 7.0}, got, model)
			}
		}
	}
}

// A target of Azure may name the deployment only, and a deployment serves what it was made
// for.
func TestTheLimitOfTokensIsNamedByTheDeploymentToo(t *testing.T) {
	for _, tt := range []struct{ model, clients, deployment, field string }{
		{"", "gpt-4o", "prod-gpt-5", "max_completion_tokens"},
		{"", "gpt-5", "gpt-35-turbo", "max_tokens"},
		{"", "gpt-5", "blue", "max_completion_tokens"},
		{"gpt-5", "m", "gpt-4", "max_completion_tokens"},
		{"blue", "m", "o3-mini", "max_completion_tokens"},
		{"", "m", "$(uri_captures.gpt)", "max_tokens"},
	} {
		s := provider.Settings{Provider: "azure", Model: tt.model, Options: provider.Options{UpstreamURL: "https://h", AzureDeploymentID: tt.deployment, MaxTokens: "7"}}
		req, err := provider.ReadRequest([]byte(`{"model":"` + tt.clients + `","messages":[]}`))
		require.NoError(t, err)
		w, err := providertest.NewTarget(t, s).Rewrite(req, provider.Client{Captures: map[string]string{"gpt": "d"}})
		require.NoError(t, err)
		require.Contains(t, string(w.Body), `"`+tt.field+`":7`, "%+v", tt)
	}
}

func TestBodySetsModelAndOptions(t *testing.T) {
	openai := func(model string, o provider.Options) provider.Settings {
		return provider.Settings{Provider: "openai", Model: model, Options: o}
	}
	client := func(s provider.Settings) provider.Settings { s.OptionsPrecedence = "client"; return s }
	always := func(s provider.Settings) provider.Settings { s.ResponseStreaming = "always"; return s }
	limit := provider.Options{MaxTokens: "256"}
	for _, tt := range []struct {
		name       string
		settings   provider.Settings
		body, want string
	}{
		{"model is replaced", openai("gpt-4o", provider.Options{}), `{"messages":[],"model":"m"}`, `{"messages":[],"model":"gpt-4o"}`},
		{"model is added", openai("gpt-4o", provider.Options{}), `{"messages":[]}`, `{"messages":[],"model":"gpt-4o"}`},
		{"own model stays", openai("", provider.Options{}), chat, chat},
		{
			"configured options win, as written",
			provider.Settings{Provider: "xai", Model: "g", Options: provider.Options{Temperature: "1.0", TopP: "0.90", TopK: "5"}},
			`{"model":"m","messages":[],"top_p":0.1}`, `{"model":"g","messages":[],"top_p":0.90,"temperature":1.0,"top_k":5}`,
		},
		{
			"an option that OpenAI does not have", openai("g", provider.Options{TopP: "0.90", TopK: "5"}),
			`{"top_k":null,"model":"m","messages":[]}`, `{"model":"g","messages":[],"top_p":0.90}`,
		},
		{
			"a limit that old versions of Azure do not know",
			provider.Settings{Provider: "azure", Model: "gpt-35-turbo-16k", Options: provider.Options{UpstreamURL: "https://h"}},
			`{"max_completion_tokens":9,"messages":[]}`, `{"messages":[],"model":"gpt-35-turbo-16k","max_tokens":9}`,
		},
		{
			"the limit of a deployment with a name of its own",
			provider.Settings{Provider: "azure", Model: "mine", Options: provider.Options{UpstreamURL: "https://h"}},
			`{"max_completion_tokens":9,"messages":[]}`, `{"max_completion_tokens":9,"messages":[],"model":"mine"}`,
		},
		{
			"client's options win", client(openai("g", provider.Options{Temperature: "1.0", TopP: "0.90"})),
			`{"model":"m","messages":[],"top_p":0.1,"temperature":null}`, `{"model":"g","messages":[],"top_p":0.1,"temperature":1.0}`,
		},
		{"limit", openai("gpt-4o", limit), `{"model":"m","messages":[],"max_tokens":9}`, `{"model":"gpt-4o","messages":[],"max_tokens":256}`},
		{"limit replaces the other name", openai("gpt-4o", limit), `{"model":"m","max_completion_tokens":9,"messages":[]}`, `{"model":"gpt-4o","messages":[],"max_tokens":256}`},
		{
			"limit of a deployment with a name of its own, as the client calls it",
			provider.Settings{Provider: "azure", Model: "prod-blue", Options: provider.Options{UpstreamURL: "https://h", MaxTokens: "77"}},
			`{"max_completion_tokens":9,"messages":[]}`, `{"max_completion_tokens":77,"messages":[],"model":"prod-blue"}`,
		},
		{"limit of an unknown model", openai("prod-blue", limit), `{"max_tokens":9,"messages":[]}`, `{"max_tokens":256,"messages":[],"model":"prod-blue"}`},
		{"limit of an unknown model, two names", openai("prod-blue", limit), `{"max_tokens":9,"max_completion_tokens":9,"messages":[]}`, `{"max_tokens":256,"messages":[],"model":"prod-blue"}`},
		{"limit of an unknown model, no name", openai("prod-blue", limit), `{"messages":[]}`, `{"messages":[],"model":"prod-blue","max_tokens":256}`},
		{"limit of a reasoning model", openai("o3-mini", limit), `{"model":"m","max_tokens":9,"messages":[]}`, `{"model":"o3-mini","messages":[],"max_completion_tokens":256}`},
		{"client's limit is renamed", openai("gpt-5.1-mini", provider.Options{}), `{"model":"m","max_tokens":9e0,"messages":[]}`, `{"model":"gpt-5.1-mini","messages":[],"max_completion_tokens":9e0}`},
		{"client's limit of its own model", openai("", provider.Options{}), `{"model":"o1","max_tokens":9,"messages":[]}`, `{"model":"o1","messages":[],"max_completion_tokens":9}`},
		{"client's right limit stays", openai("o1", limit), `{"model":"m","max_completion_tokens":9,"messages":[]}`, `{"model":"o1","max_completion_tokens":256,"messages":[]}`},
		{"client's two limits", openai("o1", provider.Options{}), `{"model":"m","max_completion_tokens":9,"max_tokens":5,"messages":[]}`, `{"model":"o1","max_completion_tokens":9,"messages":[]}`},
		{"client's limit wins, under either name", client(openai("gpt-4o", limit)), `{"model":"m","max_completion_tokens":9,"messages":[]}`, `{"model":"gpt-4o","max_completion_tokens":9,"messages":[]}`},
		{"client's limit wins, renamed", client(openai("o1", limit)), `{"model":"m","max_tokens":9,"messages":[]}`, `{"model":"o1","messages":[],"max_completion_tokens":9}`},
		{"limit where only max_tokens is known", provider.Settings{Provider: "mistral", Model: "s"}, `{"model":"m","max_completion_tokens":9,"messages":[]}`, `{"model":"s","messages":[],"max_tokens":9}`},
		{"limit of a completion", provider.Settings{Provider: "openai", Model: "o1", RouteType: "llm/v1/completions", Options: limit}, `{"prompt":"p"}`, `{"prompt":"p","model":"o1","max_tokens":256}`},
		{"no reasoning model elsewhere", provider.Settings{Provider: "xai", Model: "o1", Options: limit}, `{"messages":[]}`, `{"messages":[],"model":"o1","max_tokens":256}`},
		{"streaming always", always(openai("g", provider.Options{})), `{"stream":false,"messages":[]}`, `{"stream":true,"messages":[],"model":"g"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := rewrite(t, tt.settings, tt.body)
			require.Equal(t, tt.want, string(w.Body))
		})
	}
}

func TestModelsThatReasonTakeMaxCompletionTokens(t *testing.T) {
	for model, want := range map[string]bool{
		"o1": true, "o3-mini": true, "O4-mini-2025-04-16": true, "ft:o4-mini:org": true, "gpt-5": true, "gpt-5.2": true, "gpt-10": true, "GPT-5-nano": true,
		"gpt-4o": false, "gpt-4.1": false, "gpt-oss": false, "omni": false, "o": false, "olmo-2": false, "o1x": false, "chatgpt-4o": false, "gpt-": false,
	} {
		w := rewrite(t, provider.Settings{Provider: "azure", Model: model, Options: provider.Options{AzureInstance: "i", AzureDeploymentID: "d", MaxTokens: "1"}}, chat)
		var body map[string]any
		require.NoError(t, json.Unmarshal(w.Body, &body))
		_, got := body["max_completion_tokens"]
		require.Equal(t, want, got, model)
	}
}
