package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

const counted = `{"model":"gpt-4o-2024","choices":[{"message":{"content":"an answer"}}],"usage":{"prompt_tokens":1000,"completion_tokens":250,"total_tokens":1250}}`

// TestStatisticsAndPayloads checks what a target's logging enables: tokens and
// cost in metrics and log, payloads in the log, and never a credential.
func TestStatisticsAndPayloads(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	logging := map[string]any{"log_statistics": true, "log_payloads": true}
	s := harness.Start(t, harness.Options{
		Flags: []string{"--log-format", "json"},
		Config: harness.Config(harness.Plugin{
			Algorithm: "priority", Failover: harness.SeedCriteria(),
			Targets: []harness.Target{
				{
					URL: all[0].URL, Model: "loud", Weight: 9, Logging: logging,
					Auth:    map[string]any{"param_name": "key", "param_value": "marker-in-the-body", "param_location": "body"},
					Options: map[string]any{"input_cost": 1, "output_cost": 10},
				},
				{URL: all[1].URL, Model: "quiet", Weight: 1, Authorization: "Bearer marker-in-a-header"},
			},
		}),
	})
	client := harness.NewClient(t, harness.Protocols()[0])
	ask := func(text string) {
		t.Helper()
		answer := s.Do(client, s.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat(text)), http.Header{}))
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	}

	all[0].Do(harness.Body(http.StatusOK, counted))
	ask("a loud question")
	require.Eventually(t, func() bool { return strings.Contains(s.Log(), "a loud question") }, time.Minute, 10*time.Millisecond)
	line := logged(t, s.Log(), "answer")
	require.Equal(t, 1000.0, at(line, "ai", "proxy", "usage", "prompt_tokens"))
	require.InDelta(t, 0.0035, at(line, "ai", "proxy", "usage", "cost"), 1e-9)
	require.Equal(t, "gpt-4o-2024", at(line, "ai", "proxy", "meta", "response_model"))
	require.Contains(t, at(line, "ai", "proxy", "payload", "response"), "an answer")
	labels := []string{"provider", "openai", "model", "loud"}
	require.InDelta(t, 0.0035, s.Metric("semlb_llm_cost_total", labels...), 1e-9)
	require.Equal(t, 250.0, s.Metric("semlb_llm_tokens_total", append(labels, "type", "completion")...))

	all[0].Do(harness.Status(http.StatusTooManyRequests))
	ask("a quiet question")
	// What the failed attempt at the loud target was sent is its own to log.
	require.Eventually(t, func() bool { return strings.Contains(s.Log(), "a quiet question") }, time.Minute, 10*time.Millisecond)
	require.NotContains(t, s.Log(), "marker-in")
}

// TestLoggedPayloadsHoldNoCredentialOfTheClient where a target lets it win, or passes it
// on inside of an option.
func TestLoggedPayloadsHoldNoCredentialOfTheClient(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{
		Flags: []string{"--log-format", "json"},
		Config: harness.Config(harness.Plugin{Algorithm: "priority", Targets: []harness.Target{{
			URL: stub.URL, Model: "m", Logging: map[string]any{"log_payloads": true},
			Auth: map[string]any{"param_name": "key", "param_value": "marker-ours", "param_location": "body", "allow_override": true},
		}}}),
	})
	stub.Do(harness.Body(http.StatusUnauthorized, `{"error":{"message":"unknown key marker-theirs"}}`))
	options := `"key":"marker-theirs","data_sources":[{"authentication":{"key":"marker-within"}}]`
	answer := s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat("a question", options))
	require.Equal(t, http.StatusUnauthorized, answer.Status, answer.Body)
	require.Contains(t, string(stub.Only(t).Body), options)
	require.Eventually(t, func() bool { return strings.Contains(s.Log(), "a question") }, time.Minute, 10*time.Millisecond)
	line := logged(t, s.Log(), "answer")
	require.Contains(t, at(line, "ai", "proxy", "payload", "request"), `"key":"[redacted]"`)
	require.Contains(t, at(line, "ai", "proxy", "payload", "response"), "unknown key [redacted]")
	require.NotContains(t, s.Log(), "marker-")
}

// logged is the last line of a log with a message.
func logged(t *testing.T, log, message string) map[string]any {
	t.Helper()
	found := ofRequest(log, message, "")
	require.NotNil(t, found, "no line %q in %s", message, log)
	return found
}

// ofRequest is the last line of a log with a message, about the request with an ID if one
// is given; nil if there is none.
func ofRequest(log, message, id string) map[string]any {
	var found map[string]any
	for line := range strings.Lines(log) {
		var m map[string]any
		if json.Unmarshal([]byte(line), &m) == nil && m["msg"] == message && (id == "" || m["request_id"] == id) {
			found = m
		}
	}
	return found
}

// at is a value within objects.
func at(m map[string]any, path ...string) any {
	var v any = m
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}
