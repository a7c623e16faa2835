package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
)

// messageTimeout is how long Envoy waits for semlb with a budget of a millisecond:
// four seconds longer.
const messageTimeout = 4 * time.Second

// held is a request that waits at its first target until that fails.
type held struct {
	release chan struct{}
	answers chan harness.Answer
}

// after waits for the release and then does what comes next.
func after(release <-chan struct{}, next harness.Behaviour) harness.Behaviour {
	return func(x *harness.Exchange) {
		x.Body()
		select {
		case <-release:
			next(x)
		case <-x.Request.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}

// hold sends a request that waits at the first target for cooking.
func (w *world) hold() held {
	w.t.Helper()
	h := held{release: make(chan struct{}), answers: make(chan harness.Answer, 1)}
	w.reset()
	w.cook1.Do(after(h.release, harness.Status(http.StatusTooManyRequests)))
	r, client := w.request(w.t.Context(), strings.NewReader(chat(cooking))), harness.NewClient(w.t, harness.HTTP1)
	go func() {
		answer, err := harness.Send(client, r)
		if err != nil {
			answer.Body = err.Error()
		}
		h.answers <- answer
	}()
	w.cook1.Await(w.t, 1)
	return h
}

func TestFault15ProcessorGone(t *testing.T) {
	r := begin(t, "`semlb serve` killed (-9), then paused (SIGSTOP): new requests, a request on its first attempt, a stream that has begun")
	d := deploy(t, options{flags: []string{"--decision-budget", "100ms"}})
	d.survives(func() {
		d.code.Do(harness.SSE(20, 100*time.Millisecond))
		response, err := d.client.Do(d.request(t.Context(), strings.NewReader(chat(code))))
		require.NoError(t, err)
		streamed := make(chan string, 1)
		go func() {
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			streamed <- fmt.Sprint(strings.Count(string(text), "data: {"), err)
		}()
		under := d.hold()
		d.serve.kill()
		for range 10 {
			answer := d.post(chat(code))
			d.requireRefused(answer, http.StatusServiceUnavailable, "router_unavailable")
			require.Less(t, answer.Took, 500*time.Millisecond, "at once")
		}
		require.Empty(t, d.code.Requests(), "sent without a decision")
		close(under.release)
		d.requireRefused(<-under.answers, http.StatusServiceUnavailable, "router_unavailable")
		require.Equal(t, [3]int{1, 0, 0}, d.counts(), "sent without a rewrite")
		require.Equal(t, "20 <nil>", <-streamed, "a stream that has begun goes on")
		d.reset()
		d.startServe()
		back := timed(d.awaitGood)
		require.Less(t, back, time.Second)
		r.saw("killed: 503 at once, later attempt 503, stream whole, served again %s after the return", back.Round(time.Millisecond))
	})
	d.survives(func() {
		under := d.hold()
		d.signal(syscall.SIGSTOP)
		close(under.release)
		answer := d.post(chat(code))
		require.Contains(t, []int{503, 504}, answer.Status, answer.Body)
		answer.OpenAIError(t)
		require.Less(t, answer.Took, messageTimeout+time.Second)
		require.Contains(t, []int{503, 504}, (<-under.answers).Status)
		require.Equal(t, [3]int{1, 0, 0}, d.counts())
		d.signal(syscall.SIGCONT)
		back := timed(d.awaitGood)
		require.Less(t, back, time.Second)
		r.saw("paused: %d after %s, served again after %s", answer.Status, answer.Took.Round(100*time.Millisecond), back.Round(time.Millisecond))
	})
	require.Eventually(t, func() bool { return envoyStats(t, d.client, "http://"+d.admin, "downstream_rq_active") <= 1 }, waitLimit, waitStep,
		"requests under way in Envoy, beside that for the statistics")
}

// awaitGood sends good requests until one is served.
func (w *world) awaitGood() {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.post(chat(code)).Status == http.StatusOK }, waitLimit, waitStep)
}

func TestFault16ConcurrentStreams(t *testing.T) {
	const n = 1200
	r := begin(t, "1,200 requests at once wait for their decision, then for their model, with the shipped limits")
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	require.GreaterOrEqual(t, limit.Max, uint64(8192), "this test needs `ulimit -n 8192`: Envoy holds two connections for each request")
	e := newEmbedder(t)
	d := deploy(t, options{embedder: e, flags: []string{"--decision-budget", "60s"}})
	// Idle connections of Envoy to the targets do not count, those of gRPC do.
	d.survives(func() {
		decide, think := make(chan struct{}), make(chan struct{})
		var thinking atomic.Int64
		e.Do(after(decide, embed))
		d.code.Do(func(x *harness.Exchange) {
			thinking.Add(1)
			after(think, harness.OK())(x)
		})
		before := d.routines()
		client := harness.NewClient(t, harness.HTTP1)
		var all errgroup.Group
		for range n {
			request := d.request(t.Context(), strings.NewReader(chat("the same program")))
			all.Go(func() error {
				answer, err := harness.Send(client, request)
				if err == nil && answer.Status != http.StatusOK {
					err = fmt.Errorf("status %d: %s", answer.Status, answer.Body)
				}
				return err
			})
		}
		require.Eventually(t, func() bool { return d.routines() >= before+n }, time.Minute, 50*time.Millisecond, "all wait for their decision")
		close(decide)
		require.Eventually(t, func() bool { return thinking.Load() == n }, time.Minute, 10*time.Millisecond, "all wait for their model")
		close(think)
		require.NoError(t, all.Wait())
		overflows := envoyStats(t, d.client, "http://"+d.admin, "overflow")
		require.Zero(t, overflows)
		r.saw("%d × 200, overflows in Envoy: %d", n, overflows)
	})
}

func TestFault17RollingRestart(t *testing.T) {
	r := begin(t, "SIGTERM to one semlb under load, one decision hanging: readiness, drain window, graceful stop, hard deadline")
	const drain, grace = time.Second, 5 * time.Second
	e := newEmbedder(t)
	d := deploy(t, options{embedder: e, flags: []string{"--drain", drain.String(), "--decision-budget", "30s"}})
	d.survives(func() {
		e.Do(harness.Hang())
		hanging := d.sendAway(t.Context(), harness.HTTP1, strings.NewReader(chat("a program that hangs")))
		e.Await(t, 2) // the descriptions were the first
		begun := time.Now()
		d.signal(syscall.SIGTERM)
		require.Eventually(t, func() bool { status, _ := d.page("/readyz"); return status == http.StatusServiceUnavailable },
			drain/2, waitStep, "readiness is off before anything else")
		served := 0
		for time.Since(begun) < drain-100*time.Millisecond {
			require.Equal(t, http.StatusOK, d.post(chat(code)).Status, "served while Envoys look elsewhere")
			served++
		}
		require.NoError(t, d.serve.awaitExit(t, drain+grace+2*time.Second), "exit status 0")
		took := time.Since(begun)
		require.Greater(t, took, drain)
		require.NoError(t, <-hanging)
		d.requireRefused(d.post(chat(code)), http.StatusServiceUnavailable, "router_unavailable")
		r.saw("not ready at once, %d requests served in the drain window, exit status 0 after %s", served, took.Round(100*time.Millisecond))
		e.recover()
		d.startServe()
	})
	d.survives(func() {
		took := timed(func() {
			d.signal(syscall.SIGTERM)
			require.NoError(t, d.serve.awaitExit(t, drain+grace+time.Second))
		})
		require.Less(t, took, drain+time.Second)
		r.saw("idle: after %s", took.Round(100*time.Millisecond))
		d.startServe()
		d.awaitGood()
	})
}
