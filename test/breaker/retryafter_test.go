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

func TestRetryAfterIsRespected(t *testing.T) {
	for _, status := range []int{429, 503} {
		w := start(t, nil)
		from := len(w.Log())
		w.a.Do(busy(status, "1"))
		by, answer := w.ask()
		require.Equal(t, "b", by)
		require.Equal(t, 200, answer.Status)
		at := time.Now()
		w.lines(from, 1, "msg=attempt", "retry_after=1s")
		w.a.Reset()
		for time.Since(at) < 800*time.Millisecond {
			by, _ := w.ask()
			require.Equal(t, "b", by)
		}
		require.Zero(t, asked(w.a))
		time.Sleep(300 * time.Millisecond)
		by, _ = w.ask()
		require.Equal(t, "a", by)
	}
}

func TestRetryAfterIsCapped(t *testing.T) {
	w := start(t, nil, "--max-retry-after", "500ms")
	from := len(w.Log())
	w.a.Do(busy(429, "86400"))
	w.ask()
	w.lines(from, 1, "msg=attempt", "retry_after=24h0m0s")
	w.a.Reset()
	by, _ := w.ask()
	require.Equal(t, "b", by)
	time.Sleep(600 * time.Millisecond)
	by, _ = w.ask()
	require.Equal(t, "a", by)
}

func TestRetryAfterIsIgnoredWhereNoneWouldBeLeft(t *testing.T) {
	w := start(t, nil)
	from := len(w.Log())
	w.a.Do(busy(429, "60"))
	w.b.Do(busy(503, "60"))
	by, answer := w.ask()
	require.Equal(t, "b", by)
	require.Equal(t, 503, answer.Status)
	require.Equal(t, "60", answer.Header.Get("Retry-After"), "the client is told all the same")
	w.lines(from, 2, "msg=attempt", "retry_after=1m0s")
	w.a.Reset()
	w.b.Reset()
	by, _ = w.ask()
	require.Equal(t, "a", by)
}
