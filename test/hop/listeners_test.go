package hop_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// relimit writes the configuration with another body limit, which replaces both
// listeners, their routes and all clusters, and waits until it is in force.
func (w *world) relimit(n int) {
	w.t.Helper()
	w.plugin.MaxRequestBodySize = 2<<20 + n<<16
	file := w.config + ".new"
	require.NoError(w.t, os.WriteFile(file, []byte(harness.Config(w.plugin)), 0o600))
	before := w.stat("listener_manager.lds.update_success")
	require.NoError(w.t, os.Rename(file, w.config))
	require.Eventually(w.t, func() bool { return w.stat("listener_manager.lds.update_success") > before },
		time.Minute, 10*time.Millisecond, "Envoy has new listeners")
}

// TestListenersAreReplacedUnderLoad changes the listeners every few hundred
// milliseconds while requests and streams run, with a drain time that ends during the
// test, in the way and with the strategy of semlb run.
func TestListenersAreReplacedUnderLoad(t *testing.T) {
	const drain = 15
	w := newWorld(t, unchanged, nil, "--drain-time-s", fmt.Sprint(drain), "--drain-strategy", "immediate")
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	defer clients.Wait()
	defer stop()
	var mu sync.Mutex
	var wrong []string
	requests, streams := 0, 0
	note := func(what string, count *int) {
		mu.Lock()
		defer mu.Unlock()
		*count++
		if what != "" {
			wrong = append(wrong, time.Now().Format("15:04:05.000 ")+what)
		}
	}
	for i := range 8 {
		client := harness.NewClient(t, harness.Protocols()[i%2])
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				note(w.send(client, harness.Chat("hello "+strings.Repeat("x", n%7*10_000))), &requests)
				time.Sleep(time.Duration(n%20) * 5 * time.Millisecond)
			}
		})
	}
	// Streams last longer than the time between two changes. The drain is long enough
	// for two of them: a connection whose stream had begun before its listener was
	// replaced may be used for another one, which is then its last.
	w.first.Do(func(x *harness.Exchange) {
		if strings.Contains(string(x.Body()), `"stream":true`) {
			harness.SSE(10, 100*time.Millisecond)(x)
			return
		}
		harness.Status(http.StatusTooManyRequests)(x)
	})
	for i := range 8 {
		client := harness.NewClient(t, harness.Protocols()[i%2])
		clients.Go(func() {
			for ctx.Err() == nil {
				note(w.stream(client, 10), &streams)
			}
		})
	}
	const changes = 25
	for n := range changes {
		time.Sleep(300 * time.Millisecond)
		w.relimit(n + 1)
	}
	draining := func() int { return w.stat("listener_manager.total_listeners_draining") }
	require.Eventually(t, func() bool { return draining() == 0 }, drain*time.Second+time.Minute, 50*time.Millisecond, "the last replaced listener goes")
	stop()
	clients.Wait()
	t.Logf("%d changes of both listeners: %d requests of two attempts, %d streams, %d failed",
		changes, requests, streams, len(wrong))
	require.Equal(t, 2, w.stat("listener_manager.total_listeners_active"))
	require.Greater(t, requests, 200)
	require.Greater(t, streams, 20)
	require.Empty(t, wrong)
}

// stream requests a stream of n events and returns what was wrong with it.
func (w *world) stream(client *http.Client, n int) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+harness.ChatPath, strings.NewReader(harness.Chat("hello", `"stream":true`)))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := harness.Send(client, r)
	switch {
	case err != nil:
		return "stream: " + err.Error()
	case answer.Err != nil || strings.Count(answer.Body, "data: {") != n || !strings.HasSuffix(answer.Body, "data: [DONE]\n\n"):
		return fmt.Sprintf("stream: %d %v, %d of %d events", answer.Status, answer.Err, strings.Count(answer.Body, "data: {"), n)
	default:
		return ""
	}
}
