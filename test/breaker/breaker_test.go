package breaker_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// inForce is the time within which an outcome must affect plans. It is about 20 ms on a
// machine with nothing else to do.
const inForce = 5 * time.Second

func TestABreakerOpensAndAProbeClosesIt(t *testing.T) {
	const failTimeout = 12 * time.Second
	w := start(t, map[string]any{"max_fails": 2, "fail_timeout": int(failTimeout.Milliseconds()), "read_timeout": 20_000})
	w.a.Do(harness.Status(http.StatusServiceUnavailable))
	for range 2 {
		by, answer := w.ask()
		require.Equal(t, 200, answer.Status)
		require.Equal(t, "b", by, "failover")
	}
	failed := time.Now()
	w.untilSkipped(failed)
	opened := time.Now() // or before
	require.Equal(t, 1.0, w.Metric("semlb_targets_out"))

	w.a.Reset()
	for time.Since(failed) < failTimeout/4 { // well before the cool-down ends
		by, _ := w.ask()
		require.Equal(t, "b", by)
	}
	require.Zero(t, asked(w.a), "requests during the cool-down")

	time.Sleep(time.Until(opened.Add(failTimeout)))
	othersAnswered := make(chan struct{})
	w.a.Do(func(x *harness.Exchange) {
		<-othersAnswered
		harness.OK()(x)
	})
	require.Equal(t, map[string]int{"a": 1, "b": 19}, w.together(20, func(answered int) {
		if answered == 19 {
			close(othersAnswered)
		}
	}))
	require.Equal(t, 1, asked(w.a), "one request is the probe")
	w.lines(0, 1, "target is back")
	for range 5 {
		by, _ := w.ask()
		require.Equal(t, "a", by)
	}
	require.Zero(t, w.Metric("semlb_targets_out"))
	require.Equal(t, 1.0, w.Metric("semlb_breaker_changes_total", "to", "out"))
	require.Equal(t, 1.0, w.Metric("semlb_breaker_changes_total", "to", "back"))
}

// untilSkipped sends requests until a plan skips a, and returns how long after the outcome
// that request was sent.
func (w *world) untilSkipped(failed time.Time) time.Duration {
	w.t.Helper()
	for {
		before := len(w.a.Requests())
		sent := time.Now()
		w.ask()
		if len(w.a.Requests()) == before {
			return sent.Sub(failed)
		}
		require.Less(w.t, time.Since(failed), time.Minute, "plans do not skip a")
	}
}

// together sends n requests at the same time and counts the answers of each stub. It calls
// answered after each answer, with the number of answers so far.
func (w *world) together(n int, answered ...func(int)) map[string]int {
	w.t.Helper()
	client := harness.NewClient(w.t, harness.HTTP2)
	var mu sync.Mutex
	by, done := map[string]int{}, 0
	var all sync.WaitGroup
	for range n {
		r := w.Request(w.t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello")))
		all.Go(func() {
			answer, err := harness.Send(client, r)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && answer.Status == 200 {
				by[answer.Header.Get("X-Stub")]++
			}
			done++
			for _, tell := range answered {
				tell(done)
			}
		})
	}
	all.Wait()
	return by
}

func TestABreakerOpensSoonAfterTheOutcome(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 2000})
	var known, left []time.Duration
	for i := range 10 {
		from := len(w.Log())
		w.a.Do(harness.Status(http.StatusServiceUnavailable))
		w.ask()
		failed := time.Now()
		if i%2 == 0 {
			w.lines(from, 1, "target is out")
			known = append(known, time.Since(failed))
		} else {
			left = append(left, w.untilSkipped(failed))
		}
		w.a.Reset()
		w.awaitBy("a")
		w.lines(from, 1, "target is back")
	}
	for what, took := range map[string][]time.Duration{"effect": known, "the first request that skips it": left} {
		slices.Sort(took)
		t.Logf("from a client's answer to %s: median %s, longest %s", what, took[len(took)/2], took[len(took)-1])
		require.Less(t, took[len(took)/2], inForce, what)
	}
}

func TestAProbeThatFailsKeepsTheBreakerOpen(t *testing.T) {
	const failTimeout = 5 * time.Second
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": int(failTimeout.Milliseconds())})
	w.trip(1)
	w.a.Reset()
	w.a.Do(harness.Reset())
	time.Sleep(failTimeout)
	from := len(w.Log())
	by, answer := w.ask()
	require.Equal(t, "b", by, "the probe fails over like any attempt")
	require.Equal(t, 200, answer.Status)
	for name := range w.a.Only(t).Header {
		require.False(t, strings.HasPrefix(name, "X-Semlb-"), name)
	}
	require.Equal(t, 1, asked(w.a))
	w.lines(from, 1, "target is out")
	require.Equal(t, map[string]int{"b": 20}, w.together(20))
	require.Zero(t, asked(w.a))
	w.awaitBy("a")
}

func TestWithAllBreakersOpenTheAnswerListsTheTargets(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 10_000})
	w.a.Do(harness.Status(http.StatusServiceUnavailable))
	w.b.Do(harness.Status(http.StatusServiceUnavailable))
	from := len(w.Log())
	by, answer := w.ask()
	require.Equal(t, 503, answer.Status, "the last target's own answer")
	require.Equal(t, "b", by)
	w.lines(from, 2, "target is out")
	w.a.Reset()
	w.b.Reset()

	_, answer = w.ask()
	require.Equal(t, 500, answer.Status)
	body := answer.OpenAIError(t)
	require.Equal(t, "all_out", body.Code)
	require.Contains(t, body.Message, "openai/model-a, openai/model-b")
	require.NotContains(t, answer.Body, "key-")
	require.Zero(t, asked(w.a)+asked(w.b))
	require.Equal(t, 1.0, w.Metric("semlb_decisions_total", "reason", "all_out"))

	w.awaitBy("a")
}

// The breaker closes when the stream begins, not when it ends.
func TestAProbeClosesTheBreakerWhenItsStreamBegins(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 300})
	w.trip(1)
	from := len(w.Log())
	w.a.Do(harness.SSE(1200, 50*time.Millisecond))
	time.Sleep(400 * time.Millisecond)
	r := w.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello")))
	response, err := w.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "a", response.Header.Get("X-Stub"))
	began := time.Now()
	w.lines(from, 1, "target is back")
	took := time.Since(began)
	t.Logf("closed %s after the stream began; it lasts a minute", took)
	require.Less(t, took, 30*time.Second)
}

// The probe of a client that disconnects does not keep the breaker open.
func TestAnAbandonedProbeIsMadeAgain(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 300, "read_timeout": 20_000})
	w.trip(1)
	w.a.Reset()
	w.a.Do(harness.Hang())
	time.Sleep(400 * time.Millisecond)
	from := len(w.Log())
	ctx, leave := context.WithCancel(t.Context())
	request := w.Request(ctx, harness.ChatPath, strings.NewReader(harness.Chat("hello")))
	left := make(chan error, 1)
	go func() {
		_, err := harness.Send(w.client, request)
		left <- err
	}()
	w.a.Await(t, 1)
	leave()
	require.Error(t, <-left)
	w.lines(from, 1, "msg=attempt", "result=abandoned", "probe=true")
	w.a.Reset()
	by, _ := w.ask()
	require.Equal(t, "a", by)
	w.lines(from, 1, "target is back")
}

// A probe of the second target is not made if the first one answers. The next plan
// includes it again.
func TestAProbeThatWasNotReachedIsMadeAgain(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 300})
	from := len(w.Log())
	w.a.Do(harness.Slow(200*time.Millisecond, harness.Status(http.StatusServiceUnavailable)))
	w.b.Do(harness.Status(http.StatusServiceUnavailable))
	w.ask()
	w.lines(from, 2, "target is out")
	w.a.Do(harness.OK())
	w.b.Do(harness.OK())
	time.Sleep(400 * time.Millisecond)
	for range 3 { // a answers, so b is not probed
		from = len(w.Log())
		by, _ := w.ask()
		require.Equal(t, "a", by)
		// Envoy reports attempt and request separately, in either order. Until the attempt is
		// reported, the probe of a is in flight and plans skip a.
		w.lines(from, 1, "msg=attempt")
		w.lines(from, 1, "msg=request")
	}
	require.Contains(t, w.lines(from, 1, "msg=routed")[0], "plan.probes=", "b is still to be probed")
	w.a.Do(harness.Reset())
	by, _ := w.ask()
	require.Equal(t, "b", by)
}

func TestWithoutMaxFailsNoBreakerOpens(t *testing.T) {
	w := start(t, nil)
	w.a.Do(harness.Status(http.StatusServiceUnavailable))
	for range 20 {
		w.ask()
	}
	w.lines(0, 40, "msg=attempt")
	require.Equal(t, 20, asked(w.a))
}
