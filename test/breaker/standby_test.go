package breaker_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// The cool-downs of both targets have elapsed. A long stream from the first must not
// reserve the probe of the second: the next request, which the first refuses, needs it.
func TestAStreamDoesNotReserveTheSecondProbe(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 300})
	from := len(w.Log())
	w.a.Do(harness.Status(http.StatusServiceUnavailable))
	w.b.Do(harness.Status(http.StatusServiceUnavailable))
	w.ask()
	w.lines(from, 2, "target is out")
	w.b.Reset()
	time.Sleep(400 * time.Millisecond)

	from = len(w.Log())
	w.a.Do(harness.SSE(1200, 50*time.Millisecond))
	stream, err := w.client.Do(w.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello"))))
	require.NoError(t, err)
	defer stream.Body.Close()
	require.Equal(t, "a", stream.Header.Get("X-Stub"))
	w.lines(from, 1, "target is back", "model=openai/model-a")

	w.a.Do(harness.Status(http.StatusServiceUnavailable))
	by, answer := w.ask()
	require.Equal(t, 200, answer.Status)
	require.Equal(t, "b", by)
	w.lines(from, 1, "target is back", "model=openai/model-b")
	require.Less(t, strings.Count(w.Log()[from:], "msg=request"), 2, "the stream is still open")
}
