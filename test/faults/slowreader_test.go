package faults_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// flood is a stream that is far longer than what Envoy and the kernels keep of one.
type flood struct{ sent atomic.Int64 }

const floodSize = 24 << 20

var floodEvent = []byte("data: " + strings.Repeat("x", 1<<14) + "\n\n")

func (f *flood) behave(x *harness.Exchange) {
	x.Body()
	x.Writer.Header().Set("Content-Type", "text/event-stream")
	for f.sent.Load() < floodSize {
		n, err := x.Writer.Write(floodEvent)
		if f.sent.Add(int64(n)); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// awaitHeld waits until nothing more can be sent.
func (f *flood) awaitHeld(t *testing.T) {
	t.Helper()
	last, since := int64(-1), time.Now()
	require.Eventually(t, func() bool {
		if now := f.sent.Load(); now != last {
			last, since = now, time.Now()
		}
		return last > 0 && time.Since(since) > 500*time.Millisecond
	}, waitLimit, waitStep)
	require.Less(t, last, int64(floodSize), "Envoy has taken all of it")
}

// slowClient has small buffers.
func slowClient(t *testing.T, p harness.Protocol) *http.Client {
	t.Helper()
	client := harness.NewClient(t, p)
	transport := client.Transport.(*http.Transport)
	transport.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 64 << 10}
	transport.DialContext = (&net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<10)
		})
		if err != nil {
			return err
		}
		return failed
	}}).DialContext
	return client
}

// begin gets the head of an answer, and reads nothing more.
func (w *world) begin(ctx context.Context, p harness.Protocol) *http.Response {
	w.t.Helper()
	response, err := slowClient(w.t, p).Do(w.request(ctx, strings.NewReader(chat(cooking))))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(w.t, http.StatusOK, response.StatusCode)
	return response
}

// slowReaders starts a world in which a single failure opens a circuit breaker.
func slowReaders(t *testing.T, readTimeout time.Duration, send string) *world {
	t.Helper()
	return start(t, options{flags: []string{"--send-timeout", send}, plugin: func(p *harness.Plugin) {
		p.ReadTimeout, p.ConnectTimeout = int(readTimeout.Milliseconds()), 1000
		p.Balancer = map[string]any{"max_fails": 1, "fail_timeout": 600_000}
	}})
}

// requireIn checks that no circuit breaker has opened.
func (w *world) requireIn() {
	w.t.Helper()
	require.Zero(w.t, w.metric("semlb_breaker_changes_total", "to", "out"))
	require.Equal(w.t, cook1Model, w.servedBy(chat(cooking)))
}

func TestFault34SlowReader(t *testing.T) {
	const readTimeout = 2 * time.Second
	r := begin(t, fmt.Sprintf("clients over HTTP/1 and HTTP/2 pause in a stream of %d MiB, for longer than read_timeout (2 s) and for longer than --send-timeout; then a target goes silent; max_fails 1", floodSize>>20))
	w := slowReaders(t, readTimeout, "1m") // its default
	w.survives(func() {
		var streams []*http.Response
		for _, p := range harness.Protocols() {
			f := new(flood)
			w.cook1.Do(f.behave)
			streams = append(streams, w.begin(t.Context(), p))
			f.awaitHeld(t)
		}
		time.Sleep(2 * readTimeout) // the pause
		for _, response := range streams {
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Zero(t, len(body)%len(floodEvent))
			require.Equal(t, len(body)/len(floodEvent), bytes.Count(body, floodEvent))
			require.GreaterOrEqual(t, len(body), floodSize)
		}
		w.cook1.Reset()
		w.requireIn()
		r.saw("every byte arrives, and the target stays in")
	})
	w = slowReaders(t, readTimeout, "4s")
	w.survives(func() { w.holdsBack(r) })
	w.goesSilent(r)
}

// holdsBack is a client that pauses for too long.
func (w *world) holdsBack(r *row) {
	w.t.Helper()
	for _, p := range harness.Protocols() {
		f := new(flood)
		w.cook1.Do(f.behave)
		w.requireGrowth(1, w.attempted("cut", "2xx"), func() {
			response := w.begin(w.t.Context(), p)
			w.awaitLog("msg=attempt", response.Header.Get("X-Kong-Request-Id"), "result=answered", "flags=SI")
			_, err := io.Copy(io.Discard, response.Body)
			require.Error(w.t, err)
		})
		w.cook1.Reset()
		w.requireIn()
	}
	r.saw("a longer pause is cut, and the target stays in")
}

// goesSilent is a target that sends nothing more, while its client reads.
func (w *world) goesSilent(r *row) {
	w.t.Helper()
	w.cook1.Do(harness.SSEStall(2))
	w.requireGrowth(1, w.attempted("timeout", "none"), func() {
		_, whole, err := w.readStream(harness.HTTP1)
		require.Error(w.t, err)
		require.False(w.t, whole)
	})
	require.Eventually(w.t, func() bool { return w.metric("semlb_breaker_changes_total", "to", "out") == 1 }, waitLimit, waitStep)
	r.saw("a target that goes silent is a timeout, and out")
}
