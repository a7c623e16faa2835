package hop_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
	"semlb/test/process"
)

// flood streams events as fast as they are taken and counts their bytes, until the
// other side closes the connection.
func flood(sent *atomic.Int64) harness.Behaviour {
	event := []byte("data: " + strings.Repeat("x", 16<<10) + "\n\n")
	return func(x *harness.Exchange) {
		x.Body()
		x.Writer.Header().Set("Content-Type", "text/event-stream")
		for {
			n, err := x.Writer.Write(event)
			sent.Add(int64(n))
			if err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	}
}

// TestSlowReadersDelayNoOtherClient opens streams whose clients read nothing, over
// connections of their own and over one that they share with others, and has the
// others ask.
func TestSlowReadersDelayNoOtherClient(t *testing.T) {
	for _, p := range harness.Protocols() {
		t.Run(string(p), func(t *testing.T) { slowReaders(t, p) })
	}
}

const (
	slow = 24
	// most is what one stream that its client does not read may hold: the buffers of two hops, of
	// the client's HTTP/2 window, and of four sockets' kernels.
	most = 24 << 20
)

func slowReaders(t *testing.T, p harness.Protocol) {
	w := newWorld(t, unchanged, nil)
	var sent atomic.Int64
	refuse := harness.Status(http.StatusTooManyRequests)
	w.first.Do(func(x *harness.Exchange) {
		if strings.Contains(string(x.Body()), `"stream":true`) {
			flood(&sent)(x)
			return
		}
		refuse(x)
	})
	shared := harness.NewClient(t, p)
	require.Empty(t, w.send(shared, harness.Chat("warm up")))
	before := w.resident()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for i := range slow {
		client := shared
		if i%2 == 0 {
			client = harness.NewClient(t, p)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+harness.ChatPath, strings.NewReader(harness.Chat("hello", `"stream":true`)))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		response, err := client.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = response.Body.Close() })
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	var last int64
	require.Eventually(t, func() bool {
		now := sent.Load()
		same := now == last
		last = now
		return same
	}, 2*time.Minute, 500*time.Millisecond, "flow control never stops the provider")
	held := w.resident()

	var took []time.Duration
	for range 100 {
		start := time.Now()
		require.Empty(t, w.send(shared, harness.Chat("hello")))
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	t.Logf("%d streams that their clients do not read: the provider could send %d KiB of each; Envoy grew from %d to %d MiB; others: p50 %s, slowest %s",
		slow, last/slow>>10, before>>20, held>>20, took[50].Round(time.Microsecond), took[99].Round(time.Microsecond))
	require.Less(t, last/slow, int64(most))
	require.Less(t, held-before, int64(slow*most/2))
	require.Less(t, took[50], 5*time.Second, "the streams that nobody reads last for minutes")
}

// resident is Envoy's resident memory in bytes.
func (w *world) resident() int64 {
	w.t.Helper()
	bytes, err := process.Resident(w.envoy.PID())
	require.NoError(w.t, err)
	return int64(bytes)
}

// TestFourWorkersServeRequestsAndStreams runs requests and streams on four worker
// threads, each of which has its own hop.
func TestFourWorkersServeRequestsAndStreams(t *testing.T) {
	w := newWorld(t, unchanged, nil, "--concurrency", "4")
	w.first.Do(func(x *harness.Exchange) {
		if strings.Contains(string(x.Body()), `"stream":true`) {
			harness.SSE(10, 20*time.Millisecond)(x)
			return
		}
		harness.Status(http.StatusTooManyRequests)(x)
	})
	var group errgroup.Group
	for i := range 32 {
		client := harness.NewClient(t, harness.Protocols()[i%2])
		group.Go(func() error {
			for n := range 40 {
				what := w.send(client, harness.Chat("hello "+strings.Repeat("x", n*3000)))
				if n%8 == 0 && what == "" {
					what = w.stream(client, 10)
				}
				if what != "" {
					return fmt.Errorf("client %d, request %d: %s", i, n, what)
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}
