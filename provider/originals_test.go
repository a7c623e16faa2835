package provider_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/wire"
)

// planTargets are the targets of an instance with credentials in bodies.
func planTargets(t testing.TB) []*provider.Target {
	t.Helper()
	all := []provider.Settings{
		{Provider: "openai", Model: "gpt-4o", Options: provider.Options{MaxTokens: "256", Temperature: "1.0"}},
		{
			Provider: "vllm", Model: "q", Options: provider.Options{UpstreamURL: "http://vllm:8000"},
			Auth: provider.Auth{ParamName: "api_key", ParamValue: wire.NewSecret("secret-a"), ParamLocation: "body"},
		},
		{
			Provider: "vllm", Model: "r", Options: provider.Options{UpstreamURL: "http://vllm:8001"},
			Auth: provider.Auth{ParamName: "token", ParamValue: wire.NewSecret("secret-b"), ParamLocation: "body", AllowOverride: true},
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

// clientBodies have fields that are absent, null, and in every place.
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
	require.Error(t, err)
}
