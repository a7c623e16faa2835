package provider_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/wire"
)

func TestRewriteNeedsAModelThatIsAName(t *testing.T) {
	target := newTarget(t, provider.Settings{Provider: "openai"})
	for _, body := range []string{`{"messages":[]}`, `{"messages":[],"model":""}`, `{"messages":[],"model":"a\r\nx: y"}`} {
		_, err := target.Rewrite(read(t, body), provider.Client{})
		require.Equal(t, provider.CodeInvalidRequest, requestError(t, err).Code)
	}
	require.Equal(t, "m", rewrite(t, provider.Settings{Provider: "openai"}, chat, provider.Client{}).Model)
}

func TestQueryIsTheClientsWithoutCredentials(t *testing.T) {
	param := provider.Settings{
		Provider: "openai", Model: "m", Options: provider.Options{UpstreamURL: "https://h/p"},
		Auth: provider.Auth{ParamName: "to ken", ParamValue: wire.NewSecret("s&s"), ParamLocation: "query"},
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, rewrite(t, tt.settings, chat, provider.Client{Query: tt.query}).Path)
		})
	}
}

func TestHeadersHoldOnlyTheTargetsCredential(t *testing.T) {
	auths := []provider.Auth{{HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer a")}, {HeaderName: "X-Own", HeaderValue: wire.NewSecret("b")}}
	names := provider.CollectCredentials(auths...)
	for i, own := range []string{"authorization", "x-own"} {
		w := rewrite(t, provider.Settings{Provider: "openai", Model: "m", Auth: auths[i], Credentials: names}, chat, provider.Client{})
		require.Equal(t, []provider.Header{{Name: own, Value: auths[i].HeaderValue}}, w.SetHeaders)
		require.NotContains(t, w.RemoveHeaders, own)
		require.Subset(t, append(w.RemoveHeaders, own), []string{"authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "x-own"})
	}
	w := rewrite(t, provider.Settings{Provider: "azure", Model: "m", Options: provider.Options{UpstreamURL: "https://h"}, Auth: provider.Auth{HeaderValue: wire.NewSecret("k")}}, chat, provider.Client{})
	require.Equal(t, "api-key", w.SetHeaders[0].Name)
	w = rewrite(t, provider.Settings{Provider: "vllm", Model: "m", Options: provider.Options{UpstreamURL: "https://h"}}, chat, provider.Client{})
	require.Empty(t, w.SetHeaders)
	require.Contains(t, w.RemoveHeaders, "authorization")
}

func TestAllowOverrideAppliesToTheClientsOwnRequestOnly(t *testing.T) {
	s := provider.Settings{Provider: "openai", Model: "m", Auth: provider.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer ours"), AllowOverride: true}}
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

	// In a later attempt the header is an earlier target's.
	originals, err := provider.EncodeOriginals(req, provider.TouchedBy(target), "")
	require.NoError(t, err)
	again, _, err := provider.ReadAttempt([]byte(chat), originals)
	require.NoError(t, err)
	w, err = target.Rewrite(again, client)
	require.NoError(t, err)
	require.Len(t, w.SetHeaders, 1)

	s.Auth.HeaderValue = wire.Secret{} // without a credential to set, the earlier target's must be removed
	w, err = newTarget(t, withRoute(s)).Rewrite(again, client)
	require.NoError(t, err)
	require.Contains(t, w.RemoveHeaders, "authorization")
}

// To the provider, a parameter in another letter case is another one.
func TestOnlyTheSameParameterOverridesOneInTheQuery(t *testing.T) {
	auth := provider.Auth{ParamName: "key", ParamValue: wire.NewSecret("ours"), AllowOverride: true}
	for query, want := range map[string]string{"": "key=ours", "a=1&key=theirs": "a=1&key=theirs", "a=1&KEY=theirs": "a=1&key=ours", "Key=b&key=theirs": "key=theirs"} {
		w := rewrite(t, provider.Settings{Provider: "openai", Model: "m", Auth: auth}, chat, provider.Client{Query: query})
		require.Equal(t, "/v1/chat/completions?"+want, w.Path, query)
	}
}

// Where the target's own credential is a parameter, a client's Authorization is not it.
func TestOnlyAHeaderInTheSamePlaceIsPassedOn(t *testing.T) {
	client := provider.Client{Header: headers(map[string]string{"authorization": "Bearer theirs"})}
	for name, tt := range map[string]struct {
		auth provider.Auth
		want bool
	}{
		"none":          {provider.Auth{AllowOverride: true}, true},
		"header":        {provider.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer ours"), AllowOverride: true}, true},
		"other header":  {provider.Auth{HeaderName: "X-Own", HeaderValue: wire.NewSecret("ours"), AllowOverride: true}, false},
		"parameter":     {provider.Auth{ParamName: "key", ParamValue: wire.NewSecret("ours"), AllowOverride: true}, false},
		"body":          {provider.Auth{ParamName: "token", ParamValue: wire.NewSecret("ours"), ParamLocation: "body", AllowOverride: true}, false},
		"none, no pass": {provider.Auth{}, false},
	} {
		w := rewrite(t, provider.Settings{Provider: "openai", Model: "m", Auth: tt.auth}, chat, client)
		require.Equal(t, tt.want, !slices.Contains(w.RemoveHeaders, "authorization"), name)
	}
}

// An account without its credential means nothing to a provider, or the wrong thing.
func TestTheAccountGoesWithTheClientsOwnCredentialOnly(t *testing.T) {
	override := provider.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer ours"), AllowOverride: true}
	inQuery := provider.Auth{ParamName: "key", ParamValue: wire.NewSecret("ours"), AllowOverride: true}
	inBody := provider.Auth{ParamName: "token", ParamValue: wire.NewSecret("ours"), ParamLocation: "body", AllowOverride: true}
	both := override
	both.ParamName, both.ParamValue = inQuery.ParamName, inQuery.ParamValue
	own, none := map[string]string{"authorization": "Bearer theirs"}, map[string]string{}
	const withToken = `{"token":"theirs","model":"m","messages":[{"role":"user","content":"hi"}]}`
	for _, tt := range []struct {
		name    string
		auth    provider.Auth
		client  map[string]string
		query   string
		body    string
		account bool
	}{
		{"no override", provider.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer ours")}, own, "", chat, false},
		{"no credential at all", provider.Auth{}, own, "", chat, false},
		{"own header", override, own, "", chat, true},
		{"no own header", override, none, "", chat, false},
		{"own parameter", inQuery, none, "key=theirs", chat, true},
		{"no own parameter", inQuery, none, "", chat, false},
		{"own member", inBody, none, "", withToken, true},
		{"no own member", inBody, none, "", chat, false},
		{"one own, one of ours", both, own, "", chat, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.client["openai-organization"], tt.client["cookie"] = "org", "session=1"
			w := rewrite(t, provider.Settings{Provider: "openai", Model: "m", Auth: tt.auth}, tt.body, provider.Client{Query: tt.query, Header: headers(tt.client)})
			require.Equal(t, !tt.account, slices.Contains(w.RemoveHeaders, "openai-organization"))
			require.Contains(t, w.RemoveHeaders, "cookie", "no provider has set it: clients get no Set-Cookie")
			require.True(t, slices.IsSorted(w.RemoveHeaders))
		})
	}
}

func TestCredentialsForTheGatewayAreNotForwarded(t *testing.T) {
	s := provider.Settings{Provider: "openai", Model: "m", Auth: provider.Auth{HeaderName: "Authorization", HeaderValue: wire.NewSecret("Bearer ours"), AllowOverride: true}}
	target := newTarget(t, withRoute(s))
	req := read(t, chat)
	client := provider.Client{
		Query:  "a=%20&jwt=theirs&b",
		Header: headers(map[string]string{"authorization": "Bearer theirs", "x-other": "theirs"}),
	}.Without("authorization", "jwt")

	require.False(t, target.NeedsOriginal(req, client))
	w, err := target.Rewrite(req, client)
	require.NoError(t, err)
	require.Equal(t, "Bearer ours", w.SetHeaders[0].Value.Reveal())
	require.Equal(t, "/v1/chat/completions?a=%20&b", w.Path)
	other, _ := client.Header("x-other")
	require.Equal(t, "theirs", other)
	require.Equal(t, "a", provider.Client{Query: "a&jwt=x"}.Without("jwt").Query, "a client without headers")
}

func TestBodyCredentials(t *testing.T) {
	auth := provider.Auth{ParamName: "api_key", ParamValue: wire.NewSecret(`s"1`), ParamLocation: "body"}
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

func TestTemplatesOfNamedGroups(t *testing.T) {
	s := provider.Settings{Provider: "azure", Model: "$(uri_captures.name)", Options: provider.Options{
		AzureInstance: "i", AzureDeploymentID: "west-$(uri_captures.name)",
	}}
	target := newTarget(t, withRoute(s))
	require.True(t, target.Captures())
	w := rewrite(t, s, chat, provider.Client{Captures: map[string]string{"name": "a/b"}})
	require.Equal(t, "a/b", w.Model)
	require.Equal(t, "/openai/deployments/west-a%2Fb/chat/completions?api-version=2023-05-15", w.Path)
	for _, captures := range []map[string]string{nil, {"name": ""}, {"other": "x"}} {
		_, err := target.Rewrite(read(t, chat), provider.Client{Captures: captures})
		require.Contains(t, requestError(t, err).Message, `named group in the path of its route, "name"`)
	}
	_, err := target.Rewrite(read(t, chat), provider.Client{Captures: map[string]string{"name": "a\nb"}})
	requestError(t, err)
	require.False(t, newTarget(t, provider.Settings{Provider: "openai", Model: "$(headers.m)"}).Captures())
}

func TestNothingPrintsASecret(t *testing.T) {
	const secret = "hunter2"
	s := provider.Settings{
		ID: "t", Provider: "openai", Model: "m", RouteType: "llm/v1/chat",
		Options: provider.Options{UpstreamURL: "https://h/p?sig=" + secret},
		Auth:    provider.Auth{HeaderName: "X", HeaderValue: wire.NewSecret(secret), ParamName: "p", ParamValue: wire.NewSecret(secret), ParamLocation: "body"},
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
