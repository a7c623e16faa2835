package e2e_test

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// deaf is a provider that takes connections and reads nothing.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil { // closed by the cleanup
				return
			}
			// A small window, so that the kernel takes little for it.
			_ = conn.(*net.TCPConn).SetReadBuffer(4096)
			defer conn.Close()
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		<-ended
	})
	return "http://" + l.Addr().String()
}

// TestAProviderThatStopsReadingFailsAfterTheWriteTimeout: the kernel closes
// the connection, and Envoy cannot distinguish that from a reset by the provider.
func TestAProviderThatStopsReadingFailsAfterTheWriteTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second
	// The kernel looks at its timers at growing intervals.
	const late = 30 * time.Second
	body := harness.Chat(prompts()[0], `"padding":"`+strings.Repeat("x", 900<<10)+`"`)
	for _, tt := range []struct {
		name     string
		criteria []string
		status   int
	}{
		{"error", []string{"error", "non_idempotent"}, http.StatusOK},
		{"timeout only", []string{"timeout", "non_idempotent"}, http.StatusBadGateway},
		{"sent already", []string{"error", "timeout"}, http.StatusBadGateway},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := harness.NewStub(t, "next")
			s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
				harness.Plugin{Failover: tt.criteria, WriteTimeout: int(timeout.Milliseconds())}, lanes([]string{deaf(t), next.URL})))})
			for _, p := range harness.Protocols() {
				answer := s.Post(harness.NewClient(t, p), body)
				require.Equal(t, tt.status, answer.Status, answer.Body)
				require.GreaterOrEqual(t, answer.Took, timeout)
				require.Less(t, answer.Took, timeout+late)
				if tt.status != http.StatusOK {
					require.Equal(t, "upstream_reset", answer.OpenAIError(t).Code)
					require.Empty(t, next.Requests())
				}
			}
			require.Eventually(t, func() bool {
				return s.Metric("semlb_attempts_total", "result", "error") == 2
			}, time.Minute, 20*time.Millisecond)
		})
	}
}

func TestAProviderThatStopsReadingFailsAfterAShorterReadTimeout(t *testing.T) {
	t.Parallel()
	next := harness.NewStub(t, "next")
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(
		harness.Plugin{Failover: []string{"timeout", "non_idempotent"}, ReadTimeout: 4000}, lanes([]string{deaf(t), next.URL})))})
	answer := s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat(prompts()[0], `"padding":"`+strings.Repeat("x", 900<<10)+`"`))
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.Less(t, answer.Took, 40*time.Second, "the shorter read_timeout passes first")
}
