package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestTheModelsAPI answers for the list and for each model, whatever is in front of the
// path and behind it.
func TestTheModelsAPI(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{Targets: []harness.Target{
		{URL: stub.URL, Model: "gpt-4o"}, {URL: stub.URL, Model: "org/models/m"}, {URL: stub.URL},
	}})})
	const list = `{"object":"list","data":[` + gpt4o + `,` + orgModel + `]}`
	for _, p := range harness.Protocols() {
		client := harness.NewClient(t, p)
		for path, want := range map[string]string{
			"/v1/models": list, "/v1/models/": list, "/models": list, "/a/route/v1/models?limit=1": list, "/models/v1/models": list,
			"/v1/models/gpt-4o": gpt4o, "/v1/models/gpt-4o/": gpt4o, "/v1/models/org%2Fmodels%2Fm": orgModel, "/v1/models/org/models/m": orgModel,
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
				require.NoError(t, err)
				answer := s.Do(client, r)
				require.Equal(t, http.StatusOK, answer.Status, "%s %s: %s", method, path, answer.Body)
				require.NotContains(t, answer.Header, "X-Kong-Llm-Model")
				if method == http.MethodGet {
					require.JSONEq(t, want, answer.Body, path)
				}
			}
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/models/other", nil)
		require.NoError(t, err)
		answer := s.Do(client, r)
		require.Equal(t, http.StatusNotFound, answer.Status)
		require.Equal(t, "model_not_found", answer.OpenAIError(t).Code)
	}
	require.Empty(t, stub.Requests())
}

const (
	gpt4o    = `{"id":"gpt-4o","object":"model","created":0,"owned_by":"openai"}`
	orgModel = `{"id":"org/models/m","object":"model","created":0,"owned_by":"openai"}`
)

// TestOtherOperationsAreNamed in the error about a request that is none of the route's.
func TestOtherOperationsAreNamed(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{}, lanes(urlsOf(stub))))})
	client := harness.NewClient(t, harness.HTTP1)
	const multipart = "multipart/form-data; boundary=b"
	for _, tt := range []struct{ path, contentType, body, named string }{
		{"/v1/embeddings", "", `{"model":"text-embedding-3-small","input":"hi"}`, "request for embeddings"},
		{"/a/route/embeddings/", "", `{"input":["hi"]}`, "request for embeddings"},
		{"/v1/moderations", "", `{"input":"hi"}`, "request for moderations"},
		{"/v1/responses", "", `{"input":"hi"}`, "request for responses"},
		{"/v1/images/generations", "", `{"prompt":"a cat"}`, "request for images/generations"},
		{"/v1/audio/transcriptions", multipart, "--b--", "request for audio/transcriptions"},
		{"/v1/files/file-1/content", multipart, "--b--", "request for files"},
		{"/v1/completions", "", `{"prompt":["a","b"]}`, "request for completions"},
		{"/v1/embeddings", "", harness.Chat("hi"), "request for embeddings"},
		{"/openai/deployments/d/embeddings?api-version=1", "", `{"input":"hi"}`, "request for embeddings"},
		{"/chat", "", `{"input":"hi"}`, `another API that takes "input"`},
		{"/chat", "", `{"prompt":["a","b"]}`, `"llm/v1/completions"`},
	} {
		header := http.Header{}
		if tt.contentType != "" {
			header.Set("Content-Type", tt.contentType)
		}
		answer := s.Do(client, s.Request(t.Context(), tt.path, strings.NewReader(tt.body), header))
		require.Equal(t, http.StatusBadRequest, answer.Status, tt.path)
		got := answer.OpenAIError(t)
		require.Equal(t, "route_type_mismatch", got.Code, tt.path)
		require.Contains(t, got.Message, tt.named)
		require.Contains(t, got.Message, `"llm/v1/chat"`)
	}
	require.Empty(t, stub.Requests())
}
