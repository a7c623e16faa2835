package provider_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

func TestRewriteSetsModelAndOptions(t *testing.T) {
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
			"configured options win, as written", openai("g", provider.Options{Temperature: "1.0", TopP: "0.90", TopK: "5"}),
			`{"model":"m","messages":[],"top_p":0.1}`, `{"model":"g","messages":[],"top_p":0.90,"temperature":1.0,"top_k":5}`,
		},
		{
			"client's options win", client(openai("g", provider.Options{Temperature: "1.0", TopP: "0.90"})),
			`{"model":"m","messages":[],"top_p":0.1,"temperature":null}`, `{"model":"g","messages":[],"top_p":0.1,"temperature":1.0}`,
		},
		{"limit", openai("gpt-4o", limit), `{"model":"m","messages":[],"max_tokens":9}`, `{"model":"gpt-4o","messages":[],"max_tokens":256}`},
		{"limit replaces the other name", openai("gpt-4o", limit), `{"model":"m","max_completion_tokens":9,"messages":[]}`, `{"model":"gpt-4o","messages":[],"max_tokens":256}`},
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
			w := rewrite(t, tt.settings, tt.body, provider.Client{})
			require.Equal(t, tt.want, string(w.Body))
		})
	}
}

func TestReasoningModelsAreTold(t *testing.T) {
	for model, want := range map[string]bool{
		"o1": true, "o3-mini": true, "O4-mini-2025-04-16": true, "ft:o4-mini:org": true, "gpt-5": true, "gpt-5.2": true, "gpt-10": true, "GPT-5-nano": true,
		"gpt-4o": false, "gpt-4.1": false, "gpt-oss": false, "omni": false, "o": false, "olmo-2": false, "o1x": false, "chatgpt-4o": false, "gpt-": false,
	} {
		w := rewrite(t, provider.Settings{Provider: "azure", Model: model, Options: provider.Options{AzureInstance: "i", AzureDeploymentID: "d", MaxTokens: "1"}}, chat, provider.Client{})
		_, got := members(t, w.Body)["max_completion_tokens"]
		require.Equal(t, want, got, model)
	}
}

func TestRewriteNeedsAModelThatIsAName(t *testing.T) {
	target := newTarget(t, provider.Settings{Provider: "openai"})
	for _, body := range []string{`{"messages":[]}`, `{"messages":[],"model":""}`, `{"messages":[],"model":"a\r\nx: y"}`} {
		_, err := target.Rewrite(read(t, body), provider.Client{})
		require.Equal(t, provider.CodeInvalidRequest, requestError(t, err).Code)
	}
	require.Equal(t, "m", rewrite(t, provider.Settings{Provider: "openai"}, chat, provider.Client{}).Model)
}

func TestQueryIsTheClientsWithoutCredentials(t *testing.T) {
	azure := provider.Settings{Provider: "azure", Model: "m", Options: provider.Options{UpstreamURL: "https://h/p"}}
	explicit := azure
	explicit.Options.AzureAPIVersion = "2024-10-21"
	param := provider.Settings{
		Provider: "openai", Model: "m", Options: provider.Options{UpstreamURL: "https://h/p"},
		Auth: provider.Auth{ParamName: "to ken", ParamValue: "s&s", ParamLocation: "query"},
	}
	override := param
	override.Auth.AllowOverride = true
	other := provider.Settings{
		Provider: "openai", Model: "m", Options: provider.Options{UpstreamURL: "https://h/p"},
		Credentials: provider.CollectCredentials(param.Auth),
	}
	for _, tt := range []struct {
		name        string
		settings    provider.Settings
		query, want string
	}{
		{"kept byte for byte", other, "a=%41&b&&c=d=e", "/p?a=%41&b&&c=d=e"},
		{"well-known credentials go", other, "key=1&a=1&API-Key=2&acc%65ss_token=3", "/p?a=1"},
		{"another target's credential goes", other, "to+ken=1&To%20ken=2", "/p"},
		{"own credential", param, "a=1&to%20ken=mine", "/p?a=1&to+ken=s%26s"},
		{"client's credential may win", override, "a=1&to%20ken=mine", "/p?a=1&to%20ken=mine"},
		{"no client's credential", override, "a=1", "/p?a=1&to+ken=s%26s"},
		{"default version", azure, "", "/p?api-version=2023-05-15"},
		{"client's version", azure, "api-version=c", "/p?api-version=c"},
		{"configured version", explicit, "api-version=c&a=1", "/p?a=1&api-version=2024-10-21"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, rewrite(t, tt.settings, chat, provider.Client{Query: tt.query}).Path)
		})
	}
}

func TestHeadersHoldOnlyTheTargetsCredential(t *testing.T) {
	auths := []provider.Auth{{HeaderName: "Authorization", HeaderValue: "Bearer a"}, {HeaderName: "X-Own", HeaderValue: "b"}}
	names := provider.CollectCredentials(auths...)
	for i, own := range []string{"authorization", "x-own"} {
		w := rewrite(t, provider.Settings{Provider: "openai", Model: "m", Auth: auths[i], Credentials: names}, chat, provider.Client{})
		require.Equal(t, []provider.Header{{Name: own, Value: auths[i].HeaderValue}}, w.SetHeaders)
		require.NotContains(t, w.RemoveHeaders, own)
		require.Subset(t, append(w.RemoveHeaders, own), []string{"authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "x-own"})
	}
	w := rewrite(t, provider.Settings{Provider: "azure", Model: "m", Options: provider.Options{UpstreamURL: "https://h"}, Auth: provider.Auth{HeaderValue: "k"}}, chat, provider.Client{})
	require.Equal(t, "api-key", w.SetHeaders[0].Name)
	w = rewrite(t, provider.Settings{Provider: "vllm", Model: "m", Options: provider.Options{UpstreamURL: "https://h"}}, chat, provider.Client{})
	require.Empty(t, w.SetHeaders)
	require.Contains(t, w.RemoveHeaders, "authorization")
}

func TestClientsCredentialMayWinOnlyInItsOwnRequest(t *testing.T) {
	s := provider.Settings{Provider: "openai", Model: "m", Auth: provider.Auth{HeaderName: "Authorization", HeaderValue: "Bearer ours", AllowOverride: true}}
	target := newTarget(t, withRoute(s))
	req := read(t, chat)
	client := provider.Client{Header: headers(map[string]string{"authorization": "Bearer theirs"})}

	require.True(t, target.NeedsOriginal(req, client))
	w, err := target.Rewrite(req, client)
	require.NoError(t, err)
	require.Empty(t, w.SetHeaders)
	require.NotContains(t, w.RemoveHeaders, "authorization")

	require.False(t, target.NeedsOriginal(req, provider.Client{}))
	w, err = target.Rewrite(req, provider.Client{})
	require.NoError(t, err)
	require.Len(t, w.SetHeaders, 1)

	// In a later attempt the header there is is an earlier target's.
	originals, err := provider.EncodeOriginals(req, provider.TouchedBy(target), "")
	require.NoError(t, err)
	again, _, err := provider.ReadAttempt([]byte(chat), originals)
	require.NoError(t, err)
	w, err = target.Rewrite(again, client)
	require.NoError(t, err)
	require.Len(t, w.SetHeaders, 1)

	s.Auth.HeaderValue = "" // nothing of ours to set: the earlier target's must go
	w, err = newTarget(t, withRoute(s)).Rewrite(again, client)
	require.NoError(t, err)
	require.Contains(t, w.RemoveHeaders, "authorization")
}

func TestACredentialForTheGatewayIsNoneForTheProvider(t *testing.T) {
	s := provider.Settings{Provider: "openai", Model: "m", Auth: provider.Auth{HeaderName: "Authorization", HeaderValue: "Bearer ours", AllowOverride: true}}
	target := newTarget(t, withRoute(s))
	req := read(t, chat)
	client := provider.Client{
		Query:  "a=%20&jwt=theirs&b",
		Header: headers(map[string]string{"authorization": "Bearer theirs", "x-other": "theirs"}),
	}.Without("authorization", "jwt")

	require.False(t, target.NeedsOriginal(req, client))
	w, err := target.Rewrite(req, client)
	require.NoError(t, err)
	require.Equal(t, "Bearer ours", string(w.SetHeaders[0].Value))
	require.Equal(t, "/v1/chat/completions?a=%20&b", w.Path)
	other, _ := client.Header("x-other")
	require.Equal(t, "theirs", other)
	require.Equal(t, "a", provider.Client{Query: "a&jwt=x"}.Without("jwt").Query, "a client without headers")
}

func TestBodyCredentials(t *testing.T) {
	auth := provider.Auth{ParamName: "api_key", ParamValue: `s"1`, ParamLocation: "body"}
	own := provider.Settings{Provider: "openai", Model: "m", Auth: auth}
	w := rewrite(t, own, `{"api_key":"mine","model":"m","messages":[]}`, provider.Client{})
	require.JSONEq(t, `{"api_key":"s\"1","model":"m","messages":[]}`, string(w.Body))

	own.Auth.AllowOverride = true
	req := read(t, `{"api_key":"mine","model":"m","messages":[]}`)
	require.True(t, newTarget(t, withRoute(own)).NeedsOriginal(req, provider.Client{}))
	w = rewrite(t, own, `{"api_key":"mine","model":"m","messages":[]}`, provider.Client{})
	require.JSONEq(t, `{"api_key":"mine","model":"m","messages":[]}`, string(w.Body))

	other := provider.Settings{Provider: "openai", Model: "m", Credentials: provider.CollectCredentials(auth)}
	w = rewrite(t, other, `{"api_key":"mine","model":"m","messages":[]}`, provider.Client{})
	require.JSONEq(t, `{"model":"m","messages":[]}`, string(w.Body))
}

func TestTemplates(t *testing.T) {
	s := provider.Settings{Provider: "azure", Model: "pre-$(headers.X-Model)", Options: provider.Options{
		AzureInstance: "i", AzureDeploymentID: "$(headers.dep)", AzureAPIVersion: "$(query_params.v)",
	}}
	full := provider.Client{Query: "v=a%26b", Header: headers(map[string]string{"x-model": `q"x`, "dep": "x/../y"})}
	w := rewrite(t, s, chat, full)
	require.Equal(t, `pre-q"x`, w.Model)
	require.JSONEq(t, `{"model":"pre-q\"x","messages":[]}`, string(w.Body))
	require.Equal(t, "/openai/deployments/x%2F..%2Fy/chat/completions?v=a%26b&api-version=a%26b", w.Path)

	target := newTarget(t, withRoute(s))
	require.True(t, target.NeedsOriginal(read(t, chat), full))
	for missing, client := range map[string]provider.Client{
		`"x-model"`: {Query: full.Query, Header: headers(map[string]string{"dep": "d"})},
		`"dep"`:     {Query: full.Query, Header: headers(map[string]string{"x-model": "m"})},
		`"v"`:       {Header: full.Header},
	} {
		_, err := target.Rewrite(read(t, chat), client)
		require.Contains(t, requestError(t, err).Message, missing)
	}
	dots := provider.Client{Query: full.Query, Header: headers(map[string]string{"x-model": "m", "dep": ".."})}
	_, err := target.Rewrite(read(t, chat), dots)
	require.Contains(t, requestError(t, err).Message, "dots")
	_, err = newTarget(t, provider.Settings{Provider: "openai", Model: "$(headers.m)"}).
		Rewrite(read(t, chat), provider.Client{Header: headers(map[string]string{"m": "a\xff\n"})})
	requestError(t, err)

	originals, err := provider.EncodeOriginals(read(t, chat), provider.TouchedBy(target), "")
	require.NoError(t, err)
	again, _, err := provider.ReadAttempt([]byte(chat), originals)
	require.NoError(t, err)
	_, err = target.Rewrite(again, full)
	require.ErrorContains(t, err, "original")
}

func TestNothingPrintsASecret(t *testing.T) {
	const secret = "hunter2"
	s := provider.Settings{
		ID: "t", Provider: "openai", Model: "m", RouteType: "llm/v1/chat",
		Options: provider.Options{UpstreamURL: "https://h/p?sig=" + secret},
		Auth:    provider.Auth{HeaderName: "X", HeaderValue: secret, ParamName: "p", ParamValue: secret, ParamLocation: "body"},
	}
	target := newTarget(t, s)
	req := read(t, `{"messages":[{"role":"user","content":"hunter2"}]}`)
	w, err := target.Rewrite(req, provider.Client{})
	require.NoError(t, err)
	require.Contains(t, string(w.Body)+w.Path, secret, "the rewrite itself has it")
	for _, v := range []any{s, &s, s.Auth, &s.Auth, s.Auth.HeaderValue, target, w, &w, w.SetHeaders, req} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, secret)
			require.NotContains(t, text, fmt.Sprintf("%x", secret))
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		require.NotContains(t, log.String(), secret)
	}
	text, err := json.Marshal(s.Auth)
	require.NoError(t, err)
	require.NotContains(t, string(text), secret)
}
