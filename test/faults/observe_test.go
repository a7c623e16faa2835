package faults_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// request makes a chat request.
func (w *world) request(ctx context.Context, body io.Reader, headers ...http.Header) *http.Request {
	return w.Request(ctx, harness.ChatPath, body, headers...)
}

// metric is the value of a metric as harness.Metrics.Sum has it, 0 for one that does not
// exist yet.
func (w *world) metric(name string, labels ...string) float64 {
	w.t.Helper()
	return w.Metrics().Sum(name, labels...)
}

// series is the number of all series of semlb's own.
func (w *world) series() int {
	n := 0
	for name, family := range w.Metrics() {
		if strings.HasPrefix(name, "semlb_") {
			n += len(family.GetMetric())
		}
	}
	return n
}

func (w *world) answered(reason string) int {
	return int(w.metric("semlb_answers_total", "code", reason))
}

func (w *world) decided(reason string) int {
	return int(w.metric("semlb_decisions_total", "reason", reason))
}

// attemptedAt counts the attempts at a target's model that ended so.
func (w *world) attemptedAt(model, result, status string) func() int {
	return func() int {
		return int(w.metric("semlb_attempts_total", "model", model, "result", result, "status", status))
	}
}

// attempted is attemptedAt for the first target for cooking.
func (w *world) attempted(result, status string) func() int {
	return w.attemptedAt(cook1Model, result, status)
}

func (w *world) refusals(reason string) func() int { return func() int { return w.answered(reason) } }

func (w *world) decisions(reason string) func() int { return func() int { return w.decided(reason) } }

// requireSeen checks that these targets saw one request each since the last reset, with
// the prompt and rewritten for them, and that no other target saw any.
func (w *world) requireSeen(prompt string, targets ...*harness.Stub) {
	w.t.Helper()
	for _, s := range w.stubs() {
		if !slices.Contains(targets, s) {
			require.Empty(w.t, s.Requests(), "requests at %s", s.Name)
			continue
		}
		requireAttempt(w.t, s.Only(w.t), s, prompt)
	}
}

// requireGrowth runs something by which a count grows; it waits for the count, which
// may come over Envoy's access log.
func (w *world) requireGrowth(want int, count func() int, run func()) {
	w.t.Helper()
	before := count()
	run()
	require.Eventually(w.t, func() bool { return count()-before >= want }, waitLimit, waitStep, "want a growth by %d", want)
	require.Equal(w.t, want, count()-before)
}

// logs counts the lines of the log that have all the parts.
func (w *world) logs(parts ...string) int {
	n := 0
lines:
	for line := range strings.Lines(w.log()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		n++
	}
	return n
}

// awaitLog waits for a line of the log that has all the parts.
func (w *world) awaitLog(parts ...string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.logs(parts...) > 0 }, waitLimit, waitStep, "no log line with %q", parts)
}

// timed is how long something takes.
func timed(run func()) time.Duration {
	begin := time.Now()
	run()
	return time.Since(begin)
}
