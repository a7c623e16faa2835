package server

import (
	"encoding/json"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/provider"
)

// TestARequestForAnotherOperationIsRefused, and the answer names it, also if its body reads
// like one that is served. Paths that a configuration may have given a route mean nothing.
func TestARequestForAnotherOperationIsRefused(t *testing.T) {
	const served = ""
	var paths []string // of the route
	w := newTestServer(t, fixedPlan{})
	w.snapshot.Paths = func(Match) []string { return paths }
	for _, tt := range []struct {
		route []string
		path  string
		want  string
	}{
		{nil, "/v1/chat/completions", served},
		{nil, "/v1/chat/completions/?a=b", served},
		{nil, "/openai/deployments/d/chat/completions?api-version=x", served},
		{nil, "/v1/embeddings", `embeddings ("llm/v1/embeddings")`},
		{nil, "/v1/embeddings/?a=b", `embeddings ("llm/v1/embeddings")`},
		{nil, "/v1/completions", `completions ("llm/v1/completions")`},
		{nil, "/v1/moderations", "moderations"},
		{nil, "/v1/threads/t/runs", "threads"},
		{nil, "/v1/fine_tuning/jobs", "fine_tuning"},
		{nil, "/v1/images/generations", `images/generations ("image/v1/images/generations")`},
		{nil, "/team/v1/embeddings", `embeddings ("llm/v1/embeddings")`},
		{nil, "/openai/deployments/d/embeddings", `embeddings ("llm/v1/embeddings")`},
		{nil, "/openai/files", `files ("llm/v1/files")`},
		{nil, "/files", served},
		{nil, "/team/embeddings", served},
		{nil, "/v1/filesystem", served},
		{[]string{"/chat"}, "/chat", served},
		{[]string{"/chat"}, "/chat/chat/completions", served},
		{[]string{"/chat"}, "/chat/embeddings", `embeddings ("llm/v1/embeddings")`},
		{[]string{"/my/llm"}, "/my/llm", served},
		{[]string{"/files"}, "/files", served},
		{[]string{"/files"}, "/files/embeddings", `embeddings ("llm/v1/embeddings")`},
		{[]string{"~/v1/(?<model>[^/]+)/messages$"}, "/v1/gpt/messages", served},
	} {
		paths = tt.route
		answers, err := w.talk([]string{envoy.RoleOuter},
			headersMessage(false, ":method", "POST", ":path", tt.path, "content-type", "application/json"),
			bodyMessage(`{"messages":[{"role":"user","content":"hi"}]}`))
		require.NoError(t, err)
		refusal := answers[len(answers)-1].GetImmediateResponse()
		require.Equal(t, tt.want == served, refusal == nil, "%s: %v", tt.path, refusal)
		if refusal != nil {
			requireMisdirected(t, refusal, tt.want)
		}
	}
}

func requireMisdirected(t *testing.T, refusal *extprocv3.ImmediateResponse, operation string) {
	t.Helper()
	var body struct {
		Error struct{ Code, Message string }
	}
	require.NoError(t, json.Unmarshal(refusal.GetBody(), &body))
	require.EqualValues(t, 400, refusal.GetStatus().GetCode())
	require.Equal(t, provider.CodeRouteType, body.Error.Code)
	require.Equal(t, "request for "+operation+` does not fit route_type "llm/v1/chat"`, body.Error.Message)
}
