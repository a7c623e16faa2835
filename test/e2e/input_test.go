package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestWrongRequestsAreRefused: each is answered with its status and an error that
// OpenAI's clients show, and no provider sees it.
func TestWrongRequestsAreRefused(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	plugin := withLanes(harness.Plugin{Extra: map[string]any{"response_streaming": "deny"}}, lanes(urlsOf(stub)))
	s := harness.Start(t, harness.Options{Config: harness.Config(plugin)})
	const messages = `"messages":[{"role":"user","content":"the secret of the prompt"}]`
	for _, tt := range []struct {
		name, body string
		header     http.Header
		status     int
		code       string
		message    string
	}{
		{"not JSON", `hello the secret of the prompt`, nil, 400, "invalid_json", ""},
		{"cut", `{` + messages, nil, 400, "invalid_json", ""},
		{"an array", `[]`, nil, 400, "invalid_json", ""},
		{"data behind", `{` + messages + `}{}`, nil, 400, "invalid_json", ""},
		{"invalid UTF-8", "{\"a\":\"\xff\"," + messages + `}`, nil, 400, "invalid_json", ""},
		{"content type", `{` + messages + `}`, http.Header{"Content-Type": {"text/plain"}}, 400, "unsupported_content_type", ""},
		{"form", `a=b`, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 400, "unsupported_content_type", ""},
		{"neither messages nor prompt", `{"model":"x"}`, nil, 400, "invalid_request", "request body doesn't contain valid prompts"},
		{"no messages", `{"messages":[ ]}`, nil, 400, "invalid_request", "messages must not be empty"},
		{"tokens", `{"prompt":[1,2]}`, nil, 400, "invalid_request", "array of strings"},
		{"messages that are no array", `{"messages":"hello"}`, nil, 400, "invalid_request", "array"},
		{"messages and prompt", `{"prompt":"x",` + messages + `}`, nil, 400, "invalid_request", "both messages and prompt"},
		{"another route type", `{"prompt":"x"}`, nil, 400, "route_type_mismatch", `"llm/v1/completions" does not fit route_type "llm/v1/chat"`},
		{"streaming denied", `{"stream":true,` + messages + `}`, nil, 400, "streaming_not_enabled", "streaming is not enabled"},
		{"model twice", `{"model":"a","model":"b",` + messages + `}`, nil, 400, "ambiguous_json", ""},
		{"messages twice", `{` + messages + `,` + messages + `}`, nil, 400, "ambiguous_json", ""},
		{"stream in another letter case", `{"Stream":true,` + messages + `}`, nil, 400, "ambiguous_json", `"stream"`},
		{"model escaped", `{"mod\u0065l":"a",` + messages + `}`, nil, 400, "ambiguous_json", `"model"`},
		{"deep", `{"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `,` + messages + `}`, nil, 400, "request_too_complex", ""},
		{"many messages", `{"messages":[` + strings.Repeat("{},", 20_000) + `{}]}`, nil, 400, "request_too_complex", ""},
		{"compressed", harness.Gzip(t, `{`+messages+`}`), http.Header{"Content-Encoding": {"gzip"}}, 415, "unsupported_encoding", ""},
		{"too large", `{` + messages + strings.Repeat(" ", 1<<20) + `}`, nil, 413, "request_too_large", ""},
		{"empty", ``, nil, 400, "", ""},
	} {
		for _, p := range harness.Protocols() {
			t.Run(tt.name+"/"+string(p), func(t *testing.T) {
				answer := s.Post(harness.NewClient(t, p), tt.body, tt.header)
				require.Equal(t, tt.status, answer.Status, answer.Body)
				got := answer.OpenAIError(t)
				if tt.code != "" {
					require.Equal(t, tt.code, got.Code)
				}
				require.Contains(t, got.Message, tt.message)
				require.NotContains(t, answer.Body, "secret of the prompt")
			})
		}
	}
	require.Empty(t, stub.Requests())
	require.NotContains(t, s.Log(), "secret of the prompt")

	client := harness.NewClient(t, harness.HTTP1)
	answer := s.Post(client, `{"stream":false,`+messages+`}`)
	require.Equal(t, http.StatusOK, answer.Status, "the next good request")
}

func TestARequestWithoutABodyIsRefused(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{}, lanes(urlsOf(stub))))})
	for _, p := range harness.Protocols() {
		answer := s.Do(harness.NewClient(t, p), s.Request(t.Context(), harness.ChatPath, nil))
		require.Equal(t, http.StatusBadRequest, answer.Status, "%s: %s", p, answer.Body)
		require.Equal(t, "no_body", answer.OpenAIError(t).Code)
	}
	require.Empty(t, stub.Requests())
}
