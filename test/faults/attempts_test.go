package faults_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// requireMovedOn checks that a request to the cooking group was served by its second
// target, after the first one saw it too.
func (w *world) requireMovedOn(answer harness.Answer) {
	w.t.Helper()
	require.Equal(w.t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(w.t, "openai/"+cook2Model, answer.Header.Get("X-Kong-Llm-Model"))
	requireAttempt(w.t, w.cook2.Only(w.t), w.cook2, cooking)
	require.Equal(w.t, [3]int{1, 1, 0}, w.counts())
}

// requireFirst checks what the first target for cooking received; unread is whether it
// did not read the body.
func (w *world) requireFirst(unread bool) {
	w.t.Helper()
	got := w.cook1.Only(w.t)
	if unread {
		require.Equal(w.t, w.cook1.Authority, got.Host)
		require.Equal(w.t, []string{keyOf(cook1Model)}, got.Header["Authorization"])
		require.EqualValues(w.t, len(harness.Chat(cooking, `"model":"`+cook1Model+`"`)), got.ContentLength)
		return
	}
	requireAttempt(w.t, got, w.cook1, cooking)
}

func TestFault19FailsBeforeTheFirstByte(t *testing.T) {
	r := begin(t, "first target answers 429, 503, resets before and after it has read the body, closes")
	w := start(t, options{})
	// On a connection of an earlier request it would be tried once more.
	w.cook1.OncePerConnection()
	w.survives(func() {
		n := 0
		for _, tt := range []struct {
			behaviour      harness.Behaviour
			result, status string
			unread         bool
		}{
			{harness.Status(429), "answered", "4xx", false},
			{harness.Status(503), "answered", "5xx", false},
			{harness.Reset(), "error", "none", false},
			{harness.ResetEarly(), "error", "none", true},
			{harness.Close(), "error", "none", false},
		} {
			for _, p := range harness.Protocols() {
				w.reset()
				w.cook1.Do(tt.behaviour)
				w.requireGrowth(1, w.attempted(tt.result, tt.status), func() {
					answer := w.postOver(harness.NewClient(t, p), chat(cooking))
					w.requireMovedOn(answer)
					w.awaitLog("msg=attempt", answer.Header.Get("X-Kong-Request-Id"), "attempt=1 result="+tt.result)
				})
				w.requireFirst(tt.unread)
				n++
			}
		}
		r.saw("%d × 200 from the second target, with its own model, key, host and length, after the first saw its own", n)
	})
}

// readStream reads events until the stream ends or breaks off.
func (w *world) readStream(p harness.Protocol) (events int, whole bool, err error) {
	w.t.Helper()
	response, err := harness.NewClient(w.t, p).Do(w.request(w.t.Context(), strings.NewReader(chat(cooking))))
	require.NoError(w.t, err)
	defer response.Body.Close()
	require.Equal(w.t, http.StatusOK, response.StatusCode)
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "data: [DONE]":
			whole = true
		case strings.HasPrefix(line, "data: "):
			events++
		}
	}
	return events, whole, lines.Err()
}

func TestFault20DiesAfterTheFirstByte(t *testing.T) {
	r := begin(t, "target resets its connection after 1 and after 5 events of a stream")
	w := start(t, options{})
	w.survives(func() {
		for _, p := range harness.Protocols() {
			for _, n := range []int{1, 5} {
				w.reset()
				w.cook1.Do(harness.SSECut(n))
				cut := w.logs("msg=request", "status=200", "attempts=1", "cut=true")
				w.requireGrowth(1, w.attempted("cut", "2xx"), func() {
					events, whole, err := w.readStream(p)
					require.Error(t, err, "the stream ended as if it were complete")
					require.False(t, whole)
					require.Equal(t, n, events)
					r.saw("%s: %v after %d events", p, err, n)
				})
				w.requireSeen(cooking, w.cook1) // a stream that had begun is not tried again
				require.Eventually(t, func() bool { return w.logs("msg=request", "status=200", "attempts=1", "cut=true") == cut+1 }, waitLimit, waitStep)
			}
		}
	})
}

// headOnly answers with a head and then with nothing.
func headOnly(x *harness.Exchange) {
	x.Body()
	x.Writer.Header().Set("Content-Type", "text/event-stream")
	x.Writer.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(x.Writer).Flush() // the other side is there
	<-x.Request.Context().Done()
	panic(http.ErrAbortHandler)
}

func TestFault21FirstTokenNeverComes(t *testing.T) {
	const silence = 3 * time.Second
	r := begin(t, "target is silent before its head, and after it; read_timeout 3 s")
	w := start(t, options{plugin: func(p *harness.Plugin) { p.ReadTimeout = int(silence.Milliseconds()) }})
	w.survives(func() {
		for _, p := range harness.Protocols() {
			w.reset()
			w.cook1.Do(harness.Hang())
			w.requireGrowth(1, w.attempted("timeout", "none"), func() {
				answer := w.postOver(harness.NewClient(t, p), chat(cooking))
				w.requireMovedOn(answer)
				require.GreaterOrEqual(t, answer.Took, silence-20*time.Millisecond)
				require.Less(t, answer.Took, 10*silence, "far from a second silence and from the client's own patience")
				r.saw("%s: next target after %s", p, answer.Took.Round(10*time.Millisecond))
			})
			w.requireFirst(false)
			w.cook1.AwaitGone(t)

			w.reset()
			w.cook1.Do(headOnly)
			w.requireGrowth(1, w.attempted("timeout", "none"), func() {
				_, whole, err := w.readStream(p)
				require.Error(t, err)
				require.False(t, whole)
			})
			w.requireSeen(cooking, w.cook1) // nothing is sent again once bytes have reached the client
		}
		r.saw("after the head: cut with an error, not sent again")
	})
}

const history = "When did the Roman empire fall?"

func TestFault22AllTargetsFail(t *testing.T) {
	r := begin(t, "first target 429; last one 429 with Retry-After, 503, 500, reset, hang, refused; then every target out by the breaker")
	w := start(t, options{
		flags: []string{"--max-retry-after", "0"},
		plugin: func(p *harness.Plugin) {
			p.ReadTimeout = 3000
			first, refused := p.Targets[0], p.Targets[1]
			first.Description, refused.Description, refused.URL = history, history, harness.RefusedURL(t)
			p.Targets = append(p.Targets, first, refused)
		},
	})
	own := http.Header{"Retry-After": {"17"}, "X-Own": {"kept"}}
	// On a connection of an earlier request they would be tried once more.
	w.cook1.OncePerConnection()
	w.cook2.OncePerConnection()
	w.survives(func() {
		for _, tt := range []struct {
			prompt string
			last   harness.Behaviour
			status int
			reason string // of semlb; "" for the target's own answer
			result string // and status, of the last attempt in the metric
			class  string
		}{
			{cooking, harness.Status(429, own), 429, "", "answered", "4xx"},
			{cooking, harness.Status(503, own), 503, "", "answered", "5xx"},
			{cooking, harness.Status(500, own), 500, "", "answered", "5xx"},
			{cooking, harness.Reset(), 502, "upstream_reset", "error", "none"},
			{cooking, harness.Hang(), 504, "upstream_timeout", "timeout", "none"},
			{history, nil, 502, "upstream_connection_failed", "error", "none"},
		} {
			w.reset()
			w.cook1.Do(harness.Status(429, http.Header{"Retry-After": {"1"}, "X-First": {"1"}}))
			w.cook2.Do(tt.last)
			var answer harness.Answer
			w.requireGrowth(1, w.attempted("answered", "4xx"), func() {
				w.requireGrowth(1, w.attemptedAt(cook2Model, tt.result, tt.class), func() { answer = w.post(chat(tt.prompt)) })
			})
			require.Equal(t, tt.status, answer.Status, answer.Body)
			if tt.last == nil {
				w.requireSeen(tt.prompt, w.cook1)
			} else {
				w.requireSeen(tt.prompt, w.cook1, w.cook2)
			}
			require.Equal(t, harness.ServedBy(tt.status, "openai/"+cook2Model), answer.Header.Get("X-Kong-Llm-Model"))
			require.NotContains(t, answer.Header, "X-First")
			w.awaitLog("msg=request", answer.Header.Get("X-Kong-Request-Id"), "attempts=2", "Model:"+cook1Model, "Model:"+cook2Model)
			if tt.reason != "" {
				require.Equal(t, tt.reason, answer.OpenAIError(t).Code)
				require.NotContains(t, answer.Header, "Retry-After")
				continue
			}
			require.Equal(t, harness.StatusBody(cook2Model, tt.status), answer.Body)
			require.Equal(t, []string{"17"}, answer.Header["Retry-After"])
			require.Equal(t, []string{"kept"}, answer.Header["X-Own"])
		}
		r.saw("the last answer as it was, with Retry-After; reset 502, hang 504, refused 502; the log has both attempts")
	})
	w = start(t, options{plugin: func(p *harness.Plugin) {
		p.Failover = []string{"error", "http_500", "non_idempotent"}
		p.Balancer = map[string]any{"max_fails": 2, "fail_timeout": 10_000} // far above what a loaded machine is late
	}})
	w.survives(func() {
		w.cook1.Do(harness.Status(500))
		w.cook2.Do(harness.Reset())
		w.requireGrowth(2, func() int { return int(w.metric("semlb_breaker_changes_total", "to", "out")) }, func() {
			require.Equal(t, 502, w.post(chat(cooking)).Status)
			require.Equal(t, 502, w.post(chat(cooking)).Status)
		})
		w.reset()
		w.requireGrowth(1, func() int { return w.answered("all_out") }, func() {
			answer := w.post(chat(cooking))
			w.requireRefused(answer, http.StatusInternalServerError, "all_out")
			require.Contains(t, answer.Body, "openai/"+cook1Model+", openai/"+cook2Model)
		})
		w.requireNothingSent()
		back := timed(func() {
			require.Eventually(t, func() bool { return w.servedBy(chat(cooking)) != "" }, waitLimit, waitStep)
		})
		r.saw("all out: 500 that lists them, nothing sent; back after %s", back.Round(100*time.Millisecond))
	})
}
