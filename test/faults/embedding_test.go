package faults_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
)

// budget is the decision budget of these tests, and late is how much more a request
// may take altogether.
const (
	budget = 3 * time.Second
	late   = 15 * time.Second
)

func withBudget() []string { return []string{"--decision-budget", budget.String()} }

// requireDegraded checks that a prompt was served by the default route within the
// budget, because its distance could not be had.
func (w *world) requireDegraded(prompt string) {
	w.t.Helper()
	logged := w.logs("level=WARN msg=routed", "plan.reason=degraded", "plan.error=")
	w.requireGrowth(1, w.decisions("degraded"), func() {
		answer := w.post(chat(prompt))
		require.Equal(w.t, http.StatusOK, answer.Status, answer.Body)
		require.Equal(w.t, cook1Model, answer.Header.Get("X-Stub"), "the default route")
		require.Less(w.t, answer.Took, budget+late)
		all := w.cook1.Requests()
		requireAttempt(w.t, all[len(all)-1], w.cook1, prompt)
	})
	require.Equal(w.t, 1, w.logs("level=WARN msg=routed", "plan.reason=degraded", "plan.error=")-logged, "log lines with the cause")
}

// endless is an answer that does not stop.
func endless(x *harness.Exchange) {
	x.Body()
	chunk := strings.Repeat("0.1,", 8192)
	_, err := io.WriteString(x.Writer, `{"data":[{"index":0,"embedding":[`)
	for err == nil {
		_, err = io.WriteString(x.Writer, chunk)
	}
	panic(http.ErrAbortHandler)
}

func text(status int, body string) harness.Behaviour {
	return func(x *harness.Exchange) {
		x.Body()
		x.Writer.WriteHeader(status)
		_, _ = io.WriteString(x.Writer, body)
	}
}

func TestFault10Embedder(t *testing.T) {
	r := begin(t, "embedder refused, reset, garbage, 401, 429, 5xx, redirect, hang, slow; vectors too wide, too narrow, none, NaN, infinite, null, zero; endless, cut and HTML answers")
	elsewhere := harness.NewStub(t, "elsewhere")
	faults := map[string]harness.Behaviour{
		"reset": harness.Reset(), "close": harness.Close(), "garbage": harness.Garbage(),
		"401": harness.Status(401), "429": harness.Status(429), "500": harness.Status(500), "503": harness.Status(503),
		"redirect": harness.Status(307, http.Header{"Location": {elsewhere.URL}}),
		"slow":     harness.Slow(2*budget, embed), "hang": harness.Hang(),
		"wide": allNumbers(width+1, "1"), "narrow": allNumbers(width-1, "1"), "empty": allNumbers(0, "1"),
		"NaN": allNumbers(width, "NaN"), "infinite": allNumbers(width, "1e39"), "null": allNumbers(width, "null"), "zero": allNumbers(width, "0"),
		"endless": endless, "cut": text(200, `{"data":[{"index":0,"embedding":[1,`), "HTML": text(200, "<html>"), "no data": text(200, `{"data":[]}`),
	}
	e := newEmbedder(t)
	w := start(t, options{embedder: e, flags: withBudget()})
	w.survives(func() {
		for name, fault := range faults {
			e.Do(fault)
			prompt := "my program " + name
			w.requireDegraded(prompt)
			e.recover()
			// A call in flight is joined; its result is not cached.
			require.Eventually(t, func() bool { return w.servedBy(chat(prompt)) == codeModel }, waitLimit, waitStep, name)
		}
		r.saw("%d faults: 200 by the default route in under %s, degraded, a WARN line with the cause; sent again and matched afterwards", len(faults), budget+late)
	})
	w.survives(func() {
		e.Reset()
		e.Do(harness.Status(500))
		for i := range 8 {
			w.requireDegraded(fmt.Sprintf("another program %d", i))
		}
		require.Len(t, e.inputs(), 5, "the breaker is open after five failures")
		require.Equal(t, 1.0, w.metric("semlb_embedders_open"))
		require.Equal(t, 3.0, w.metric("semlb_embeddings_total", "result", "open"))
		e.recover()
		closed := timed(func() { w.awaitMatched("a later program") })
		r.saw("breaker open after 5, closed after %s", closed.Round(100*time.Millisecond))
	})
	w.survives(func() {
		e.Reset()
		e.Do(harness.Status(429, http.Header{"Retry-After": {"6"}}))
		w.requireDegraded("one more program")
		e.recover()
		for i := range 4 {
			w.requireDegraded(fmt.Sprintf("too early a program %d", i))
		}
		require.Len(t, e.inputs(), 1, "no call before Retry-After has elapsed")
		w.awaitMatched("a program in time")
		calls := e.Requests()
		waited := calls[1].At.Sub(calls[0].At)
		require.GreaterOrEqual(t, waited, 6*time.Second)
		require.Less(t, waited, 30*time.Second)
		r.saw("Retry-After: 6 left it alone for %s", waited.Round(100*time.Millisecond))
	})
	require.Empty(t, elsewhere.Requests(), "a redirect was followed")
	require.NotContains(t, w.log(), "my program")
	require.NotContains(t, w.log(), "key-of-the-embedder")
	requireServedWithoutEmbedder(t)
	r.saw("refused from the start: ready, default route")
}

// awaitMatched sends a prompt until its distance can be had.
func (w *world) awaitMatched(prompt string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.servedBy(chat(prompt)) == codeModel }, waitLimit, 50*time.Millisecond)
}

// requireServedWithoutEmbedder starts a world whose descriptions cannot be embedded.
func requireServedWithoutEmbedder(t *testing.T) {
	t.Helper()
	w := start(t, options{flags: append(withBudget(), "--embeddings", "config"), plugin: func(p *harness.Plugin) {
		p.VectorDB = vectorBlock()
		p.Embeddings = map[string]any{"model": map[string]any{
			"provider": "openai", "name": "m", "options": map[string]any{"upstream_url": harness.RefusedURL(t) + "/v1/embeddings"},
		}}
	}})
	w.RequireReady()
	for i := range 10 {
		w.requireDegraded(fmt.Sprintf("a program %d", i))
	}
}

func TestFault12IdenticalColdPrompts(t *testing.T) {
	const n = 1000
	r := begin(t, "1,000 identical cold prompts at once")
	e := newEmbedder(t)
	// The budget is far more than the embedder takes, so that none may degrade.
	w := start(t, options{embedder: e, flags: []string{"--decision-budget", waitLimit.String()}})
	w.survives(func() {
		e.Reset()
		e.Do(harness.Slow(200*time.Millisecond, embed))
		matched := w.decided("matched")
		w.requireGrowth(n, w.attemptedAt(codeModel, "answered", "2xx"), func() {
			require.Equal(t, n, w.burst(n, func(int) string { return "the same program" }), "matched")
		})
		require.Len(t, e.Requests(), 1, "embedding calls")
		require.Equal(t, n, w.decided("matched")-matched)
		require.Equal(t, [3]int{0, 0, n}, w.counts())
		for _, s := range w.stubs() {
			for _, got := range s.Requests() {
				requireAttempt(t, got, s, "the same program")
			}
		}
		require.GreaterOrEqual(t, w.metric("semlb_embeddings_total", "result", "joined")+w.metric("semlb_embeddings_total", "result", "hit"), float64(n-1))
		r.saw("1 embedding call, %d × 200, all matched", n)
	})
}

// burst sends n prompts at once. All are answered 200, by the group for code or by
// the default route; it returns how many by the first.
func (w *world) burst(n int, prompt func(int) string) int {
	w.t.Helper()
	client := harness.NewClient(w.t, harness.HTTP2)
	var matched atomic.Int64
	var all errgroup.Group
	for i := range n {
		r := w.request(w.t.Context(), strings.NewReader(chat(prompt(i))))
		all.Go(func() error {
			answer, err := harness.Send(client, r)
			switch {
			case err != nil:
				return err
			case answer.Status != http.StatusOK:
				return fmt.Errorf("status %d: %s", answer.Status, answer.Body)
			case answer.Header.Get("X-Stub") == codeModel:
				matched.Add(1)
			case answer.Header.Get("X-Stub") != cook1Model:
				return errors.New("answered by " + answer.Header.Get("X-Stub"))
			}
			return nil
		})
	}
	require.NoError(w.t, all.Wait())
	return int(matched.Load())
}

func TestFault13DistinctColdPrompts(t *testing.T) {
	// A call that starts at once takes a small part of the budget: its prompt matches even
	// on a busy machine.
	const n, each, atOnce, queue = 1000, 250 * time.Millisecond, 16, 64
	r := begin(t, "1,000 distinct cold prompts at once, embedder takes 250 ms for each")
	e := newEmbedder(t)
	w := deploy(t, options{embedder: e, flags: []string{"--decision-budget", "10s"}})
	w.survives(func() {
		before := w.metric("process_resident_memory_bytes")
		var now, most atomic.Int64
		e.Reset()
		e.Do(func(x *harness.Exchange) {
			at := now.Add(1)
			defer now.Add(-1)
			for seen := most.Load(); at > seen && !most.CompareAndSwap(seen, at); seen = most.Load() {
			}
			harness.Slow(each, embed)(x)
		})
		matched, took := 0, time.Duration(0)
		w.requireGrowth(n, func() int { return w.decided("matched") + w.decided("degraded") }, func() {
			took = timed(func() { matched = w.burst(n, func(i int) string { return fmt.Sprintf("program %d", i) }) })
		})
		require.Positive(t, w.metric("semlb_embeddings_total", "result", "shed"))
		require.GreaterOrEqual(t, matched, atOnce, "matched: those whose calls did not have to wait")
		require.LessOrEqual(t, most.Load(), int64(atOnce), "embedding calls at once")
		require.LessOrEqual(t, len(e.Requests()), queue+atOnce*(2+int(took/each)), "calls: the queue, and as many at once as there was time for")
		grown := (w.metric("process_resident_memory_bytes") - before) / (1 << 20)
		require.Less(t, grown, 150.0, "MiB")
		r.saw("%d × 200: %d matched, %d shed to the default route; at most %d embedding calls at once, %d in all; memory +%.0f MiB",
			n, matched, n-matched, most.Load(), len(e.Requests()), grown)
	})
}

func TestFault13LargeBodies(t *testing.T) {
	r := begin(t, "bodies of 700 KB while the embedder hangs, with --max-body-memory 1")
	e := newEmbedder(t)
	w := start(t, options{embedder: e, flags: []string{"--decision-budget", "8s", "--max-body-memory", "1"}})
	large := func(prompt string) string {
		return `{"messages":[{"role":"user","content":"` + prompt + `"}],"padding":"` + strings.Repeat("x", 700<<10) + `"}`
	}
	w.survives(func() {
		e.Reset()
		e.Do(harness.Hang())
		first := make(chan harness.Answer, 1)
		go func() {
			answer, _ := harness.Send(w.client, w.request(w.t.Context(), strings.NewReader(large("a large program"))))
			first <- answer
		}()
		e.Await(t, 1)
		w.requireGrowth(1, func() int { return w.answered("overloaded") }, func() {
			answer := w.post(large("one more large program"))
			w.requireRefused(answer, http.StatusServiceUnavailable, "overloaded")
			require.Equal(t, "1", answer.Header.Get("Retry-After"))
			require.Empty(t, first, "shed, not queued behind the first")
		})
		require.Len(t, e.Requests(), 1)
		require.Equal(t, http.StatusOK, (<-first).Status, "the one that had room")
		e.recover()
		require.Equal(t, http.StatusOK, w.post(large("a large program later")).Status)
		r.saw("the first: 200; the second meanwhile: 503 overloaded with Retry-After, at once; afterwards: 200")
	})
}
