package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

const completions = "llm/v1/completions"

// TestTargetsOfSeveralRouteTypes: requests are served by the targets of their type, also
// when attempts fail, and a target of the other type never gets one.
func TestTargetsOfSeveralRouteTypes(t *testing.T) {
	t.Parallel()
	chat, failing, text := harness.NewStub(t, "chat"), harness.NewStub(t, "failing"), harness.NewStub(t, "text")
	failing.Do(harness.Status(503))
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{Failover: harness.SeedCriteria(), Targets: []harness.Target{
		{URL: chat.URL, Model: "chat"},
		{URL: failing.URL, Model: "failing", Weight: 200, RouteType: completions},
		{URL: text.URL, Model: "text", RouteType: completions},
	}})})
	client := harness.NewClient(t, harness.HTTP1)
	require.Equal(t, 200, s.Post(client, harness.Chat("hello", `"model":"m"`)).Status)
	require.Equal(t, []int{1, 0, 0}, counts(chat, failing, text))
	require.Equal(t, 200, s.Post(client, `{"model":"m","prompt":"hello"}`).Status)
	require.Equal(t, []int{1, 1, 1}, counts(chat, failing, text))
	require.Equal(t, "/v1/completions", text.Requests()[0].URI)
	require.JSONEq(t, `{"model":"text","prompt":"hello"}`, string(text.Requests()[0].Body))

	const several = `{"model":"text","prompt":["hello","world"]}`
	require.Equal(t, 200, s.Post(client, several).Status)
	require.JSONEq(t, several, string(text.Requests()[1].Body))
	answer := s.Post(client, `{"model":"m","prompt":[]}`)
	require.Equal(t, 400, answer.Status)
	require.Equal(t, "prompt must not be empty", answer.OpenAIError(t).Message)

	answer = s.Post(client, `{"model":"m","input":"hello"}`)
	require.Equal(t, 400, answer.Status)
	require.Contains(t, answer.OpenAIError(t).Message, `does not fit route_type "llm/v1/chat" or "llm/v1/completions"`)
}
