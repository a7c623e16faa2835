package openai_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/providertest"
)

// chatTargets are the targets of the contract that take chats, as one instance.
func chatTargets(t testing.TB) []*provider.Target {
	t.Helper()
	var auths []provider.Auth
	for _, s := range targets() {
		auths = append(auths, s.Auth)
	}
	var chats []*provider.Target
	for _, s := range targets() {
		if s.RouteType == "" {
			s.Credentials = provider.CollectCredentials(auths...)
			chats = append(chats, providertest.NewTarget(t, s))
		}
	}
	return chats
}

func chatBodies() []string {
	return []string{
		`{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		"{ \"messages\" : [ ] ,\n \"max_tokens\" : 12345678901234567890 , \"model\":\"a\\u0062\" , \"seed\":1e0 }\n",
		`{"max_tokens":null,"max_completion_tokens":5,"messages":[],"model":"o1","top_k":1.50,"stream":true}`,
		`{"max_tokens":3,"max_completion_tokens":null,"messages":[],"model":"o1","stream":null}`,
		`{"api_key":"mine","model":"x","messages":[],"stream_options":{"include_usage":true}}`,
	}
}

// FuzzAttempt checks that a later attempt sends what a first one would.
func FuzzAttempt(f *testing.F) {
	all := chatTargets(f)
	for _, body := range chatBodies() {
		f.Add([]byte(body), uint8(3), uint8(7))
	}
	f.Fuzz(func(t *testing.T, body []byte, first, later uint8) {
		providertest.RequireSameAttempt(t, string(body), all[int(first)%len(all)], all[int(later)%len(all)])
	})
}

// FuzzReadAttempt checks that no header between attempts causes a panic or broken JSON.
func FuzzReadAttempt(f *testing.F) {
	all := chatTargets(f)
	for _, body := range chatBodies() {
		req, err := provider.ReadRequest([]byte(body))
		require.NoError(f, err)
		text, err := provider.EncodeOriginals(req, provider.TouchedBy(all...), "a=1")
		require.NoError(f, err)
		f.Add([]byte(body), text)
	}
	f.Fuzz(func(t *testing.T, body []byte, originals string) {
		req, _, err := provider.ReadAttempt(body, originals)
		if err != nil {
			return
		}
		for _, target := range all {
			if got, err := target.Rewrite(req, provider.Client{}); err == nil {
				require.True(t, json.Valid(got.Body), "%s", got.Body)
			}
		}
	})
}
