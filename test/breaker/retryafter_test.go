package breaker_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func busy(status int, after string) harness.Behaviour {
	return harness.Status(status, http.Header{"Retry-After": {after}})
}

// retryAfter lets a answer with Retry-After, and returns the time from that request to the
// next one that a receives. Meanwhile b answers.
func (w *world) retryAfter(status int, after, logged string) time.Duration {
	w.t.Helper()
	from := len(w.Log())
	w.a.Do(busy(status, after))
	by, answer := w.ask()
	require.Equal(w.t, "b", by)
	require.Equal(w.t, 200, answer.Status)
	w.lines(from, 1, "msg=attempt", "retry_after="+logged)
	at := w.a.Only(w.t).At
	w.a.Reset()
	by, _ = w.ask()
	require.Equal(w.t, "b", by)
	w.awaitBy("a")
	return w.a.Requests()[0].At.Sub(at)
}

func TestRetryAfterIsRespected(t *testing.T) {
	for _, status := range []int{429, 503} {
		require.GreaterOrEqual(t, start(t, nil).retryAfter(status, "6", "6s"), 6*time.Second)
	}
}

func TestRetryAfterIsCapped(t *testing.T) {
	w := start(t, nil, "--max-retry-after", "6s")
	require.GreaterOrEqual(t, w.retryAfter(429, "86400", "24h0m0s"), 6*time.Second)
}

func TestRetryAfterIsIgnoredIfNoTargetWouldBeLeft(t *testing.T) {
	w := start(t, nil)
	from := len(w.Log())
	w.a.Do(busy(429, "60"))
	w.b.Do(busy(503, "60"))
	by, answer := w.ask()
	require.Equal(t, "b", by)
	require.Equal(t, 503, answer.Status)
	require.Equal(t, "60", answer.Header.Get("Retry-After"), "the client receives it")
	w.lines(from, 2, "msg=attempt", "retry_after=1m0s")
	w.a.Reset()
	w.b.Reset()
	by, _ = w.ask()
	require.Equal(t, "a", by)
}
