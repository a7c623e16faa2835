package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
)

// messageTimeout is how long Envoy waits for semlb with a budget of 3 s: four seconds
// longer.
const messageTimeout = 7 * time.Second

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
	const fails = 30                                        // of each kind, so that what is left of each would show
	bodies := []string{chat(code), sized("large", 100_000)} // the second is admitted by its head
	d := deploy(t, options{flags: []string{"--decision-budget", "3s"}})
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
		d.serve.Kill()
		var took []time.Duration
		failed := d.envoyStat("streams_failed")
		for i := range fails {
			answer := d.post(bodies[i%len(bodies)])
			d.requireRefused(answer, http.StatusServiceUnavailable, "router_unavailable")
			took = append(took, answer.Took)
		}
		slices.Sort(took)
		require.Less(t, took[len(took)/2], messageTimeout, "at once, without a timeout")
		require.Equal(t, fails, d.envoyStat("streams_failed")-failed, "Envoy counts them")
		require.Empty(t, d.code.Requests(), "sent without a decision")
		close(under.release)
		d.requireRefused(<-under.answers, http.StatusServiceUnavailable, "router_unavailable")
		require.Equal(t, [3]int{1, 0, 0}, d.counts(), "sent without a rewrite")
		require.Equal(t, "20 <nil>", <-streamed, "a stream that has begun is not cut")
		d.reset()
		d.startServe()
		back := timed(d.awaitGood)
		r.saw("killed: 503 at once, later attempt 503, stream whole, served again %s after the return", back.Round(time.Millisecond))
	})
	d.survives(func() {
		under := d.hold()
		timeouts := d.envoyStat("message_timeouts")
		d.serve.Pause()
		close(under.release)
		answers := make(chan harness.Answer, fails)
		for i := range fails {
			request := d.request(t.Context(), strings.NewReader(bodies[i%len(bodies)]))
			go func() {
				answer, err := harness.Send(d.client, request)
				if err != nil {
					answer.Body = err.Error()
				}
				answers <- answer
			}()
		}
		var answer harness.Answer
		for range fails {
			answer = <-answers
			require.Contains(t, []int{503, 504}, answer.Status, answer.Body)
			answer.OpenAIError(t)
			require.Less(t, answer.Took, 5*messageTimeout, "the timeout, and not the client's patience")
		}
		require.Contains(t, []int{503, 504}, (<-under.answers).Status)
		require.Equal(t, fails+1, d.envoyStat("message_timeouts")-timeouts, "Envoy counts them, the later attempt too")
		require.Equal(t, [3]int{1, 0, 0}, d.counts())
		d.serve.Resume()
		back := timed(d.awaitGood)
		r.saw("paused: %d after %s, served again after %s", answer.Status, answer.Took.Round(100*time.Millisecond), back.Round(time.Millisecond))
	})
	require.Eventually(t, func() bool { return d.envoyStat("downstream_rq_active") <= 1 }, waitLimit, waitStep,
		"requests in flight in Envoy, beside that for the statistics")
}

// envoyStat is a number of Envoy's statistics, summed over those that match.
func (d *deployment) envoyStat(pattern string) int {
	d.t.Helper()
	return harness.EnvoyStat(d.t, "http://"+d.admin, pattern)
}

// awaitGood sends good requests until one is served.
func (w *world) awaitGood() {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.servedBy(chat(code)) != "" }, waitLimit, waitStep)
}

// manyAtOnce is the number of requests of rows 16 and 44.
const manyAtOnce = 1200

func TestFault16ConcurrentStreams(t *testing.T) {
	r := begin(t, "1,200 requests at once wait for their decision, then for their model, with the shipped limits")
	e := newEmbedder(t)
	d := deploy(t, options{embedder: e, flags: []string{"--decision-budget", "2m"}})
	d.servesAtOnce(e, manyAtOnce)
	r.saw("%d × 200, overflows in Envoy: 0", manyAtOnce)
}

// servesAtOnce sends n requests that wait for their decision, and when all do, for their
// model. All must be served, and every limit of Envoy must be above what they need.
func (d *deployment) servesAtOnce(e *embedder, n int) {
	d.t.Helper()
	var limit syscall.Rlimit
	require.NoError(d.t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	require.GreaterOrEqual(d.t, limit.Max, uint64(8192), "this test needs `ulimit -n 8192`: Envoy holds two connections for each request")
	// Idle connections of Envoy to the targets do not count, those of gRPC do.
	d.survives(func() {
		decide, think := make(chan struct{}), make(chan struct{})
		var thinking atomic.Int64
		e.Do(after(decide, embed))
		d.code.Do(func(x *harness.Exchange) {
			thinking.Add(1)
			after(think, harness.OK())(x)
		})
		before, matched, served := d.routines(), d.decided("matched"), d.attemptedAt(codeModel, "answered", "2xx")
		before200 := served()
		all := d.sendAll(n, chat("the same program"))
		// Envoy has all of them before more of its memory is taken: it may refuse new ones then.
		require.Eventually(d.t, func() bool { return d.routines() >= before+n && d.envoyStat("downstream_rq_active") > n }, time.Minute, 50*time.Millisecond,
			"all wait for their decision; goroutines: %d before, now %v", before, lazily(func() string { return fmt.Sprint(d.routines()) }))
		close(decide)
		require.Eventually(d.t, func() bool { return thinking.Load() == int64(n) }, time.Minute, 10*time.Millisecond, "all wait for their model: %v", lazily(func() string { return fmt.Sprint(thinking.Load()) }))
		close(think)
		require.NoError(d.t, all.Wait())
		require.Zero(d.t, d.envoyStat("overflow"))
		require.Equal(d.t, n, d.decided("matched")-matched)
		require.Eventually(d.t, func() bool { return served()-before200 == n }, waitLimit, 50*time.Millisecond, "every attempt is counted")
		all200 := d.code.Requests()
		require.Len(d.t, all200, n)
		for _, got := range all200 {
			requireAttempt(d.t, got, d.code, "the same program")
		}
		d.awaitGood() // Envoy refuses new requests until its heap has shrunk, where that is nearly full
	})
}

// sendAll sends n requests at once. The group ends with the first answer that is not 200.
func (w *world) sendAll(n int, body string) *errgroup.Group {
	client := harness.NewClient(w.t, harness.HTTP1)
	var all errgroup.Group
	for range n {
		request := w.request(w.t.Context(), strings.NewReader(body))
		all.Go(func() error {
			answer, err := harness.Send(client, request)
			if err == nil && answer.Status != http.StatusOK {
				err = fmt.Errorf("status %d: %s", answer.Status, answer.Body)
			}
			return err
		})
	}
	return &all
}
