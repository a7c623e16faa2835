package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestATargetThatFailsTooOftenIsSkipped goes once round the breaker's life: failures
// take a target out of new plans; after fail_timeout one request probes it; a failed
// probe keeps it out, a good one brings it back. Envoy reports outcomes a moment
// after the answer, so what is waited for is the metric.
func TestATargetThatFailsTooOftenIsSkipped(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	const failTimeout = 8 * time.Second
	plugin := harness.Plugin{
		Failover: harness.SeedCriteria(),
		Balancer: map[string]any{"max_fails": 3, "fail_timeout": int(failTimeout.Milliseconds())},
	}
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(plugin, lanes(urlsOf(all...))))})
	client := harness.NewClient(t, harness.HTTP1)
	post := func(want int) {
		t.Helper()
		answer := s.Post(client, harness.Chat(prompts()[0]))
		require.Equal(t, want, answer.Status, answer.Body)
	}
	out := func(n float64) {
		t.Helper()
		require.Eventually(t, func() bool { return s.Metric("semlb_targets_out") == n }, time.Minute, 5*time.Millisecond)
	}

	// pass waits until the breaker has opened for the n-th time, and then until it is
	// half-open.
	pass := func(n float64) {
		t.Helper()
		require.Eventually(t, func() bool { return s.Metric("semlb_breaker_changes_total", "to", "out") == n }, time.Minute, 5*time.Millisecond)
		time.Sleep(failTimeout)
	}

	all[0].Do(harness.Reset())
	for range 3 {
		out(0)
		post(200)
	}
	require.Equal(t, []int{3, 3}, counts(all...))
	out(1)
	post(200)
	require.Equal(t, []int{3, 4}, counts(all...), "its circuit breaker is open")

	pass(1)
	post(200)
	require.Equal(t, []int{4, 5}, counts(all...), "one request probes it, and moves on")
	post(200)
	require.Equal(t, []int{4, 6}, counts(all...), "its failed probe keeps it out")

	all[0].Do(harness.OK())
	pass(2)
	post(200)
	require.Equal(t, []int{5, 6}, counts(all...), "one request probes it")
	out(0)
	post(200)
	require.Equal(t, []int{6, 6}, counts(all...), "it is back")
}

func TestWithAllBreakersOpenTheAnswerIs500(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	plugin := harness.Plugin{
		Failover: harness.SeedCriteria(),
		Balancer: map[string]any{"max_fails": 1, "fail_timeout": 60_000},
	}
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(plugin, lanes(urlsOf(all...))))})
	client := harness.NewClient(t, harness.HTTP1)
	all[0].Do(harness.Status(503))
	all[1].Do(harness.Status(400)) // which is no failure
	require.Equal(t, 400, s.Post(client, harness.Chat("hello")).Status)
	all[1].Do(harness.Reset())
	require.Equal(t, 502, s.Post(client, harness.Chat("hello")).Status)
	require.Eventually(t, func() bool { return s.Metric("semlb_targets_out") == 2 }, time.Minute, 5*time.Millisecond)

	reset(all...)
	answer := s.Post(client, harness.Chat("hello"))
	require.Equal(t, http.StatusInternalServerError, answer.Status)
	message := answer.OpenAIError(t).Message
	require.Contains(t, message, modelOf(0, 0))
	require.Contains(t, message, modelOf(0, 1))
	require.Equal(t, []int{0, 0}, counts(all...))
}

// TestATargetIsSkippedUntilItsRetryAfterHasElapsed: an answer of 429 with Retry-After.
func TestATargetIsSkippedUntilItsRetryAfterHasElapsed(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	client := harness.NewClient(t, harness.HTTP1)
	all[0].Do(harness.Status(429, http.Header{"Retry-After": {"12"}}))
	asked := time.Now()
	require.Equal(t, 200, s.Post(client, harness.Chat("hello")).Status)
	all[0].Do(harness.OK())

	first := 1                // requests at the first target
	served := func() string { // is called by other goroutines too
		answer, err := harness.Send(client, s.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello"))))
		if err != nil || answer.Status != http.StatusOK {
			return ""
		}
		return answer.Header.Get("X-Stub")
	}
	// The report of the first answer may come after the next request.
	require.Eventually(t, func() bool {
		first = len(all[0].Requests())
		return served() == all[1].Name
	}, 10*time.Second, 10*time.Millisecond, "the target cools down")
	require.Len(t, all[0].Requests(), first)
	require.Eventually(t, func() bool { return served() == all[0].Name }, time.Minute, 20*time.Millisecond, "it gets requests again")
	require.GreaterOrEqual(t, time.Since(asked), 12*time.Second)
}
