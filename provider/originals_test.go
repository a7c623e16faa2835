package provider_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

// planTargets are targets that touch a body in every way there is.
func planTargets(t testing.TB) []*provider.Target {
	t.Helper()
	all := []provider.Settings{
		{Provider: "openai", Model: "gpt-4o", Options: provider.Options{MaxTokens: "256", Temperature: "1.0"}},
		{Provider: "openai", Model: "o3-mini", Options: provider.Options{TopP: "0.50"}},
		{Provider: "openai", Model: "gpt-5", Options: provider.Options{MaxTokens: "9"}, OptionsPrecedence: "client"},
		{Provider: "mistral", ResponseStreaming: provider.StreamingAlways},
		{Provider: "openai"},
		{
			Provider: "xai", Model: "grok", OptionsPrecedence: "client",
			Options: provider.Options{MaxTokens: "5", Temperature: "0", TopK: "3"},
		},
		{
			Provider: "vllm", Model: "q", Options: provider.Options{UpstreamURL: "http://vllm:8000"},
			Auth: provider.Auth{ParamName: "api_key", ParamValue: "secret-a", ParamLocation: "body"},
		},
		{
			Provider: "vllm", Model: "r", Options: provider.Options{UpstreamURL: "http://vllm:8001", MaxTokens: "7"},
			Auth: provider.Auth{ParamName: "token", ParamValue: "secret-b", ParamLocation: "body", AllowOverride: true},
		},
	}
	var auths []provider.Auth
	for _, s := range all {
		auths = append(auths, s.Auth)
	}
	var targets []*provider.Target
	for _, s := range all {
		s.Credentials = provider.CollectCredentials(auths...)
		targets = append(targets, newTarget(t, s))
	}
	return targets
}

// clientBodies cover what originals can be: absent, null, and of every place.
func clientBodies() []string {
	return []string{
		`{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		"{ \"messages\" : [ ] ,\n \"max_tokens\" : 12345678901234567890 , \"model\":\"a\\u0062\" , \"seed\":1e0 }\n",
		`{"max_completion_tokens":5,"temperature":0.70,"top_p":null,"model":"gpt-5","messages":[],"stream":false}`,
		`{"max_tokens":null,"max_completion_tokens":5,"messages":[],"model":"o1","top_k":1.50,"stream":true}`,
		`{"max_tokens":3,"max_completion_tokens":null,"messages":[],"model":"o1","stream":null}`,
		`{"max_tokens":3,"max_completion_tokens":4,"messages":[],"model":"o4-mini"}`,
		`{"api_key":"mine","model":"x","messages":[],"stream_options":{"include_usage":true}}`,
	}
}

func TestReadAttemptStartsFromTheClientsRequest(t *testing.T) {
	targets := planTargets(t)
	touched := provider.TouchedBy(targets...)
	for _, body := range clientBodies() {
		for _, first := range targets {
			for _, later := range targets {
				requireSameRewrite(t, body, touched, first, later)
			}
		}
	}
}

// requireSameRewrite checks that later writes the same request from first's
// rewrite of body as from body itself. It gives up where body is refused.
func requireSameRewrite(t testing.TB, body string, touched provider.Touched, first, later *provider.Target) {
	t.Helper()
	client := provider.Client{Query: "a=1&api-key=client-secret"}
	req, err := provider.ReadRequest([]byte(body))
	if err != nil {
		return
	}
	originals, err := provider.EncodeOriginals(req, touched, client.Query)
	if err != nil {
		return
	}
	once, err := first.Rewrite(req, client)
	if err != nil {
		return
	}
	want, err := later.Rewrite(req, client)
	if err != nil {
		return
	}

	again, query, err := provider.ReadAttempt(once.Body, originals)
	require.NoError(t, err)
	require.Equal(t, "a=1", query)
	require.Equal(t, req.Model, again.Model)
	require.Equal(t, req.Stream, again.Stream)
	require.Equal(t, req.Prompt(), again.Prompt())
	got, err := later.Rewrite(again, provider.Client{Query: query})
	require.NoError(t, err)
	if removesNothing(t, req, once.Body) {
		require.Equal(t, string(want.Body), string(got.Body))
	} else {
		require.Equal(t, members(t, want.Body), members(t, got.Body))
	}
	require.Equal(t, want.Path, got.Path)
	require.Equal(t, want.Model, got.Model)
}

// removesNothing tells whether a rewrite kept all touched members of a request.
func removesNothing(t testing.TB, req *provider.Request, rewritten []byte) bool {
	t.Helper()
	before, err := req.Edit()
	require.NoError(t, err)
	after := members(t, rewritten)
	for name := range members(t, before) {
		if _, ok := after[name]; !ok {
			return false
		}
		if name == "api_key" || name == "token" {
			return false // never carried
		}
	}
	return true
}

func TestAttemptHasNothingOfAnEarlierTarget(t *testing.T) {
	targets := planTargets(t)
	req := read(t, clientBodies()[0])
	originals, err := provider.EncodeOriginals(req, provider.TouchedBy(targets...), "")
	require.NoError(t, err)
	once, err := targets[6].Rewrite(req, provider.Client{})
	require.NoError(t, err)
	require.Contains(t, string(once.Body), "secret-a")
	again, _, err := provider.ReadAttempt(once.Body, originals)
	require.NoError(t, err)
	for i, target := range targets {
		got, err := target.Rewrite(again, provider.Client{})
		require.NoError(t, err)
		require.Equal(t, i == 6, strings.Contains(string(got.Body), "secret-a"))
	}
}

func TestOriginalsCarryNoCredential(t *testing.T) {
	targets := planTargets(t)
	req := read(t, `{"messages":[],"model":"m","api_key":"body-secret","token":["body-secret"]}`)
	text, err := provider.EncodeOriginals(req, provider.TouchedBy(targets...), "x=1&API-Key=q-secret&%6bey=q-secret")
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "secret")
	require.Contains(t, string(raw), "x=1")
}

func TestEncodeOriginalsRefusesWhatIsTooLarge(t *testing.T) {
	touched := provider.TouchedBy(planTargets(t)...)
	for _, raw := range []string{`{"a":1}`, `[1]`, strings.Repeat("1", 600)} {
		_, err := provider.EncodeOriginals(read(t, `{"messages":[],"temperature":`+raw+`}`), touched, "")
		require.Contains(t, requestError(t, err).Message, "temperature")
	}
	req := read(t, `{"messages":[]}`)
	_, err := provider.EncodeOriginals(req, touched, strings.Repeat("q", 4000))
	require.Equal(t, provider.CodeTooComplex, requestError(t, err).Code)
	text, err := provider.EncodeOriginals(req, touched, "q=\xff"+strings.Repeat("q", 2000))
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), provider.MaxOriginals)
	_, query, err := provider.ReadAttempt([]byte(`{"messages":[]}`), text)
	require.NoError(t, err)
	require.Equal(t, "q=\xff"+strings.Repeat("q", 2000), query)
}

func TestReadAttemptRefusesWhatWasNotEncoded(t *testing.T) {
	body := []byte(`{"messages":[]}`)
	good, err := provider.EncodeOriginals(read(t, string(body)), provider.TouchedBy(planTargets(t)...), "a=1")
	require.NoError(t, err)
	b64 := base64.RawURLEncoding.EncodeToString
	for _, text := range []string{
		"", "!", good[:len(good)-2], strings.Repeat("A", 5000), b64([]byte{2, 0}), b64([]byte{1}),
		b64([]byte("\x01\x00\x05model")), b64([]byte("\x01\x00\x05model\x03{,}")), b64([]byte("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
	} {
		_, _, err := provider.ReadAttempt(body, text)
		require.Error(t, err, text)
	}
	_, _, err = provider.ReadAttempt([]byte(`{"messages":[],}`), good)
	require.Equal(t, http.StatusInternalServerError, requestError(t, err).Status)
}
