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

// inForce is how soon an outcome must be in force.
const inForce = 100 * time.Millisecond

func TestATargetThatFailsIsLeftOutAndComesBack(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 2, "fail_timeout": 1000})
	w.a.Do(harness.Status(http.StatusServiceUnavailable))
	for range 2 {
		by, answer := w.ask()
		require.Equal(t, 200, answer.Status)
		require.Equal(t, "b", by, "failover")
	}
	failed := time.Now()
	w.untilLeftOut(failed)
	require.Equal(t, 1.0, w.Metric("semlb_targets_out", nil))

	w.a.Reset()
	for time.Since(failed) < 900*time.Millisecond {
		by, _ := w.ask()
		require.Equal(t, "b", by)
	}
	require.Zero(t, asked(w.a), "requests before fail_timeout")

	time.Sleep(time.Until(failed.Add(1200 * time.Millisecond)))
	w.a.Do(harness.Slow(200*time.Millisecond, harness.OK())) // all others come meanwhile
	require.Equal(t, map[string]int{"a": 1, "b": 19}, w.together(20))
	require.Equal(t, 1, asked(w.a), "one request probes")
	w.lines(0, 1, "target is back")
	for range 5 {
		by, _ := w.ask()
		require.Equal(t, "a", by)
	}
	require.Zero(t, w.Metric("semlb_targets_out", nil))
	require.Equal(t, 1.0, w.Metric("semlb_breaker_changes_total", map[string]string{"to": "out"}))
	require.Equal(t, 1.0, w.Metric("semlb_breaker_changes_total", map[string]string{"to": "back"}))
}

// untilLeftOut sends requests until one does not reach a; all after that must not
// either.
func (w *world) untilLeftOut(failed time.Time) {
	w.t.Helper()
	for {
		before := len(w.a.Requests())
		sent := time.Now()
		w.ask()
		if len(w.a.Requests()) == before {
			took := sent.Sub(failed)
			w.t.Logf("left out by a request %s after the outcome", took)
			require.Less(w.t, took, inForce)
			return
		}
	}
}

// together sends n requests at the same time and counts who answered.
func (w *world) together(n int) map[string]int {
	w.t.Helper()
	client := harness.NewClient(w.t, harness.HTTP2)
	var mu sync.Mutex
	by := map[string]int{}
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
		})
	}
	all.Wait()
	return by
}

func TestOutcomesAreInForceWithin100ms(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 100})
	var took []time.Duration
	for range 20 {
		from := len(w.Log())
		w.a.Do(harness.Status(http.StatusServiceUnavailable))
		w.ask()
		failed := time.Now()
		w.lines(from, 1, "target is out")
		took = append(took, time.Since(failed))
		w.a.Reset()
		require.Eventually(t, func() bool { by, _ := w.ask(); return by == "a" }, 5*time.Second, 20*time.Millisecond)
		w.lines(from, 1, "target is back")
	}
	slices.Sort(took)
	t.Logf("from a client's answer to effect: median %s, longest %s", took[len(took)/2], took[len(took)-1])
	require.Less(t, took[len(took)/2], inForce)
}

func TestAProbeThatFailsKeepsATargetOut(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 500})
	w.takeOut(1)
	w.a.Reset()
	w.a.Do(harness.Reset())
	time.Sleep(600 * time.Millisecond)
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
	time.Sleep(600 * time.Millisecond)
	by, _ = w.ask()
	require.Equal(t, "a", by)
}

func TestAllOutIsAnsweredWithAList(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 1000})
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
	require.Equal(t, 1.0, w.Metric("semlb_decisions_total", map[string]string{"reason": "all_out"}))

	time.Sleep(1100 * time.Millisecond)
	by, _ = w.ask()
	require.Equal(t, "a", by)
}

// A probe whose answer is a long stream brings the target back when the stream
// begins, not when it ends.
func TestAStreamThatBeginsBringsATargetBack(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 300})
	w.takeOut(1)
	from := len(w.Log())
	w.a.Do(harness.SSE(60, 50*time.Millisecond))
	time.Sleep(400 * time.Millisecond)
	r := w.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello")))
	response, err := w.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "a", response.Header.Get("X-Stub"))
	began := time.Now()
	w.lines(from, 1, "target is back")
	took := time.Since(began)
	t.Logf("back %s after the stream began; it lasts 3 s", took)
	require.Less(t, took, 1500*time.Millisecond)
}

// A probe that its client gives up does not keep the target out.
func TestAProbeThatIsAbandonedIsMadeAgain(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 300})
	w.takeOut(1)
	w.a.Reset()
	w.a.Do(harness.Slow(350*time.Millisecond, harness.OK()))
	time.Sleep(400 * time.Millisecond)
	from := len(w.Log())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := harness.Send(w.client, w.Request(ctx, harness.ChatPath, strings.NewReader(harness.Chat("hello"))))
	require.Error(t, err)
	w.lines(from, 1, "msg=attempt", "result=abandoned", "probe=true")
	w.a.Reset()
	by, _ := w.ask()
	require.Equal(t, "a", by)
	w.lines(from, 1, "target is back")
}

// A probe that stands behind a target which answers is not made; the next plan has
// it again.
func TestAProbeThatIsNotReachedIsMadeAgain(t *testing.T) {
	w := start(t, map[string]any{"max_fails": 1, "fail_timeout": 300})
	from := len(w.Log())
	w.a.Do(harness.Slow(200*time.Millisecond, harness.Status(http.StatusServiceUnavailable)))
	w.b.Do(harness.Status(http.StatusServiceUnavailable))
	w.ask()
	w.lines(from, 2, "target is out")
	w.a.Do(harness.OK())
	w.b.Do(harness.OK())
	time.Sleep(400 * time.Millisecond)
	for range 3 { // a answers, so b is not come to
		from = len(w.Log())
		by, _ := w.ask()
		require.Equal(t, "a", by)
		w.lines(from, 1, "msg=request")
	}
	require.Contains(t, w.lines(from, 1, "msg=routed")[0], "plan.probes=", "b is still to be probed")
	w.a.Do(harness.Reset())
	by, _ := w.ask()
	require.Equal(t, "b", by)
}

func TestWithoutMaxFailsNothingIsLeftOut(t *testing.T) {
	w := start(t, nil)
	w.a.Do(harness.Status(http.StatusServiceUnavailable))
	for range 20 {
		w.ask()
	}
	w.lines(0, 40, "msg=attempt")
	require.Equal(t, 20, asked(w.a))
}
