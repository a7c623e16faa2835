package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestTargetsWithoutTheirNamedGroupAreNoAttempt: one of the route's paths has the group that
// the second target takes.
func TestTargetsWithoutTheirNamedGroupAreNoAttempt(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: `_format_version: "3.0"
routes:
- name: both
  paths: ["/plain", "~/of/(?<m>[a-z]+)/chat"]
  plugins:
  - name: ai-proxy-advanced
    config:
      balancer: {algorithm: priority, failover_criteria: [error, http_429, non_idempotent]}
      targets:
      - {route_type: llm/v1/chat, weight: 9, model: {provider: openai, name: first, options: {upstream_url: "` + all[0].URL + `"}}}
      - {route_type: llm/v1/chat, weight: 1, model: {provider: openai, name: "$(uri_captures.m)", options: {upstream_url: "` + all[1].URL + `"}}}
`, Flags: []string{"--max-retry-after", "0"}})
	post := func(path string) harness.Answer {
		reset(all...)
		all[0].Do(harness.Status(http.StatusTooManyRequests))
		answer := s.Do(harness.NewClient(t, harness.HTTP1), s.Request(t.Context(), path, strings.NewReader(harness.Chat("hello")), nil))
		all[0].Only(t)
		return answer
	}
	answer := post("/plain")
	require.Equal(t, http.StatusTooManyRequests, answer.Status, answer.Body)
	answer = post("/of/second/chat")
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.Contains(t, string(all[1].Only(t).Body), `"model":"second"`)
}
