// Package breaker_test tests circuit breakers and Retry-After on a real Envoy: what semlb
// learns from attempts, and how the next plans change.
package breaker_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// world is a semlb with two targets: a is tried first unless its breaker is open.
type world struct {
	*harness.Semlb
	t      *testing.T
	a, b   *harness.Stub
	client *http.Client
}

// plugin is the configuration of a world.
func plugin(a, b *harness.Stub, balancer map[string]any) harness.Plugin {
	return harness.Plugin{
		Failover: append(harness.SeedCriteria(), "invalid_header"), ConnectTimeout: 3000, ReadTimeout: 5000,
		Balancer: balancer,
		Targets: []harness.Target{
			{URL: a.URL, Model: "model-a", Weight: 75, Authorization: "Bearer key-a"},
			{URL: b.URL, Model: "model-b", Weight: 25, Authorization: "Bearer key-b"},
		},
	}
}

func start(t *testing.T, balancer map[string]any, flags ...string) *world {
	t.Helper()
	// A failure on a connection of an earlier request would be tried once more.
	w := &world{t: t, a: harness.NewStub(t, "a").OncePerConnection(), b: harness.NewStub(t, "b"), client: harness.NewClient(t, harness.HTTP1)}
	w.Semlb = harness.Start(t, harness.Options{Config: harness.Config(plugin(w.a, w.b, balancer)), Flags: flags})
	return w
}

// ask sends a request and returns who answered.
func (w *world) ask() (string, harness.Answer) {
	w.t.Helper()
	answer := w.Post(w.client, harness.Chat("hello"))
	return answer.Header.Get("X-Stub"), answer
}

// answeredBy sends a request and returns who answered it with 200; "" if none. Unlike
// ask it can be called by any goroutine.
func (w *world) answeredBy() string {
	answer, err := harness.Send(w.client, w.Request(w.t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello"))))
	if err != nil || answer.Status != http.StatusOK {
		return ""
	}
	return answer.Header.Get("X-Stub")
}

// awaitBy sends requests until a stub answers one.
func (w *world) awaitBy(stub string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.answeredBy() == stub }, time.Minute, 10*time.Millisecond, "answered by %s", stub)
}

// lines waits until n lines of the log after an offset have all the texts.
func (w *world) lines(from, n int, texts ...string) []string {
	w.t.Helper()
	var found []string
	require.Eventually(w.t, func() bool {
		found = nil
		for line := range strings.SplitSeq(w.Log()[from:], "\n") {
			if hasAll(line, texts) {
				found = append(found, line)
			}
		}
		return len(found) >= n
	}, time.Minute, 2*time.Millisecond, "%d log lines with %q", n, texts)
	return found
}

func hasAll(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

// trip lets a fail until its breaker opens, and waits until plans skip it.
func (w *world) trip(fails int) {
	w.t.Helper()
	from := len(w.Log())
	w.a.Do(harness.Status(http.StatusServiceUnavailable))
	for range fails {
		w.ask()
	}
	w.lines(from, 1, "target is out")
}

// asked returns how many requests a stub has received since the last call.
func asked(s *harness.Stub) int {
	n := len(s.Requests())
	s.Reset()
	return n
}
