package breaker_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// slowly answers 503 at once and sends the body after d.
func slowly(d time.Duration) harness.Behaviour {
	return func(x *harness.Exchange) {
		x.Body()
		x.Writer.WriteHeader(http.StatusServiceUnavailable)
		_ = http.NewResponseController(x.Writer).Flush() // a failure shows when the body is written
		time.Sleep(d)
		_, _ = io.WriteString(x.Writer, "{}")
	}
}

// While a request probes one target, Envoy's periodic log entries report its attempts
// at the other targets several times.
func TestALongAnswerAfterAFailedProbeCountsOnce(t *testing.T) {
	const coolDown = 500 * time.Millisecond
	w := start(t, map[string]any{"max_fails": 2, "fail_timeout": coolDown.Milliseconds(), "read_timeout": 20_000})
	w.trip(2)
	w.a.Reset()
	time.Sleep(coolDown + 100*time.Millisecond)
	w.a.Do(harness.Reset())
	w.b.Do(slowly(2200 * time.Millisecond)) // reported four times
	from := len(w.Log())
	by, answer := w.ask()
	require.Equal(t, "b", by)
	require.Equal(t, http.StatusServiceUnavailable, answer.Status)
	require.Equal(t, 1, asked(w.a), "the probe, which fails")
	w.lines(from, 1, "msg=request")
	require.Len(t, w.lines(from, 1, "target is out"), 1, "a's breaker is open again")

	// The cool-down may have started late, with the report of the probe.
	time.Sleep(coolDown + 100*time.Millisecond)
	w.b.Reset()
	by, _ = w.ask()
	require.Equal(t, "a", by, "the cool-down is over, so a is probed")
	require.Len(t, w.lines(from, 2, "msg=routed", "plan.probes="), 2)
	require.Len(t, w.lines(from, 1, "target is back"), 1, "a's breaker is closed")
	require.NotContains(t, w.Log()[from:], "all_out")
	require.Len(t, w.lines(from, 1, "target is out"), 1, "b has failed once, of the two that trip its breaker")
}
