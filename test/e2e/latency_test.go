package e2e_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// latency reads one of the headers with a duration in milliseconds.
func latency(t *testing.T, a harness.Answer, header string) time.Duration {
	t.Helper()
	require.Len(t, a.Header[header], 1)
	n, err := strconv.Atoi(a.Header.Get(header))
	require.NoError(t, err)
	return time.Duration(n) * time.Millisecond
}

// TestLatencyHeadersSeparateUpstreamFromProxy: an attempt that failed is time of the
// proxy's, and both together are the time until the answer began.
func TestLatencyHeadersSeparateUpstreamFromProxy(t *testing.T) {
	t.Parallel()
	const failing, answering, reading = 3 * time.Second, 3 * time.Second, 400 * time.Millisecond
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: harness.SeedCriteria(), ReadTimeout: 30_000}, lanes(urlsOf(all...))))})
	const proxyHeader, upstreamHeader = "X-Kong-Proxy-Latency", "X-Kong-Upstream-Latency"
	for _, p := range harness.Protocols() {
		client := harness.NewClient(t, p)
		all[0].Do(harness.Slow(failing, harness.Status(429, http.Header{upstreamHeader: {"7"}, proxyHeader: {"7"}})))
		all[1].Do(harness.Slow(answering, harness.SSE(2, reading)))
		answer := s.Post(client, harness.Chat("hello"))
		require.Equal(t, http.StatusOK, answer.Status)
		proxy, upstream := latency(t, answer, proxyHeader), latency(t, answer, upstreamHeader)
		require.GreaterOrEqual(t, proxy, failing)
		require.GreaterOrEqual(t, upstream, answering)
		require.LessOrEqual(t, proxy+upstream, answer.Took-reading+5*time.Millisecond)

		all[0].Do(harness.OK())
		answer = s.Post(client, harness.Chat("hello"))
		require.Less(t, latency(t, answer, proxyHeader), failing)
		require.Less(t, latency(t, answer, upstreamHeader), answering)

		answer = s.Post(client, "no JSON")
		require.NotContains(t, answer.Header, proxyHeader, "nothing was sent")
		require.NotContains(t, answer.Header, upstreamHeader)

		all[0].Do(harness.Reset())
		all[1].Do(harness.Reset())
		answer = s.Post(client, harness.Chat("hello"))
		require.Equal(t, http.StatusBadGateway, answer.Status)
		require.NotContains(t, answer.Header, upstreamHeader, "no provider answered")
	}
}
