package breaker_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// slowly answers 503 at once, and takes its time for the body.
func slowly(d time.Duration) harness.Behaviour {
	return func(x *harness.Exchange) {
		x.Body()
		x.Writer.WriteHeader(http.StatusServiceUnavailable)
		_ = http.NewResponseController(x.Writer).Flush() // the body will say it
		time.Sleep(d)
		_, _ = io.WriteString(x.Writer, "{}")
	}
}

// While a plan probes one of its targets, Envoy also looks at the attempts at the
// others.
func TestALongAnswerBesideAProbeCountsOnce(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 2, "fail_timeout": 500, "read_timeout": 5000})
	w.takeOut(2)
	w.a.Reset()
	time.Sleep(600 * time.Millisecond)
	w.a.Do(harness.Reset())
	w.b.Do(slowly(2200 * time.Millisecond)) // Envoy looks four times
	from := len(w.Log())
	by, answer := w.ask()
	require.Equal(t, "b", by)
	require.Equal(t, http.StatusServiceUnavailable, answer.Status)
	require.Equal(t, 1, asked(w.a), "the probe")
	w.lines(from, 1, "msg=request")
	require.Len(t, w.lines(from, 1, "target is out"), 1, "a, again")
	w.b.Reset()
	by, _ = w.ask()
	require.Contains(t, []string{"a", "b"}, by)
	require.NotContains(t, w.Log()[from:], "all_out")
	require.Len(t, w.lines(from, 1, "target is out"), 1, "b has failed once")
}
