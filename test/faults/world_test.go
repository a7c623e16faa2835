package faults_test

import (
	"fmt"
	"net/http"
	"regexp"
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

// The groups of these tests. A request about code is the good one that is sent after
// every fault: its group is not the default one, so a decision that could not be
// made shows.
const (
	cooking = "How do I cook fresh pasta at home?"
	code    = "Why does my program crash with a segmentation fault?"

	cook1Model, cook2Model, codeModel = "cook-1", "cook-2", "code-1"
)

const (
	waitLimit = time.Minute
	waitStep  = 10 * time.Millisecond
)

// options are how a world differs from the usual one.
type options struct {
	// plugin may change the configuration.
	plugin func(*harness.Plugin)
	// config takes its place altogether.
	config string
	flags  []string
	// envoy, for deploy, are more flags of the command that prints Envoy's configuration.
	envoy []string
	// embedder replaces the built-in model.
	embedder *embedder
	// store uses the store of the configuration, instead of memory.
	store bool
	env   map[string]string
	// now is semlb's clock.
	now func() time.Time
	// between is for deploy: it gets the address where semlb serves gRPC, and returns
	// that of what stands between it and Envoy.
	between func(semlb string) string
	// serveAs and envoyAs, for deploy, are the users of the processes; nil is the test's own.
	serveAs, envoyAs *process.User
}

// world is a semlb with an Envoy, a client and three targets: the group for cooking
// has two, and the one for code has one.
type world struct {
	*harness.Gateway
	t      *testing.T
	client *http.Client

	cook1, cook2, code *harness.Stub

	log func() string
	// routines counts semlb's own goroutines.
	routines func() int
	// slack is by how much the count may differ from one moment of rest to another. It is
	// 0 where stacks tell whose a goroutine is. Where there is only a number, of another
	// process, connections' goroutines are in it: a row that allows for some repeats its
	// fault more often than that, so that one left by each would show.
	slack int
}

func newTargets(t *testing.T) *world {
	t.Helper()
	return &world{
		t: t, client: harness.NewClient(t, harness.HTTP1),
		cook1: harness.NewStub(t, cook1Model), cook2: harness.NewStub(t, cook2Model), code: harness.NewStub(t, codeModel),
	}
}

func (w *world) stubs() []*harness.Stub { return []*harness.Stub{w.cook1, w.cook2, w.code} }

// configuration is the text of the configuration file for the world's targets.
func (w *world) configuration(o options) string {
	if o.config != "" {
		return o.config
	}
	target := func(s *harness.Stub, weight int, description string) harness.Target {
		return harness.Target{
			URL: s.URL, Model: s.Name, Weight: weight, Description: description, Authorization: keyOf(s.Name),
		}
	}
	p := harness.Plugin{
		Failover: harness.SeedCriteria(),
		Targets: []harness.Target{
			target(w.cook1, 75, cooking), target(w.cook2, 25, cooking), target(w.code, 50, code),
		},
	}
	if o.embedder != nil {
		p.Embeddings, p.VectorDB = o.embedder.block(), vectorBlock()
	}
	if o.plugin != nil {
		o.plugin(&p)
	}
	return harness.Config(p)
}

func keyOf(model string) string { return "Bearer key-of-" + model }

// start runs a world in this process, so that its goroutines can be counted.
func start(t *testing.T, o options) *world {
	t.Helper()
	w := newTargets(t)
	flags := append([]string{"--envoy-concurrency", "2"}, o.flags...)
	if o.embedder != nil && !o.store {
		flags = append(flags, "--vectordb", "memory")
	}
	s := harness.Start(t, harness.Options{
		Config: w.configuration(o), Flags: flags, Own: o.embedder != nil || o.config != "", Env: o.env, Now: o.now,
	})
	inThisProcess.Add(1)
	t.Cleanup(func() { inThisProcess.Add(-1) })
	w.Gateway, w.log, w.routines = s.Gateway, s.Log, ownRoutines
	return w
}

// ownFrame is a frame of a function of semlb, outside of tests.
var ownFrame = regexp.MustCompile(`(?m)^(created by )?semlb/(admin|cli|config|embeddings|envoy|provider|router|server|vectordb)[./]`)

// ownRoutines counts the goroutines of this process that run something of semlb.
func ownRoutines() int { return len(ownStacks()) }

// ownStacks leaves out the streams of Envoy's access logs: their number depends on which
// threads of Envoy have sent a log entry. They have a separate limit.
func ownStacks() []string {
	return slices.DeleteFunc(harness.Stacks(), func(stack string) bool {
		return !ownFrame.MatchString(stack) || harness.ReadsAccessLog(stack)
	})
}

// inThisProcess are the worlds that start has started and that have not ended.
var inThisProcess atomic.Int32

// mostLogStreams is how many streams of access logs the Envoys of these worlds have:
// two logs for each of their two threads.
func mostLogStreams() int { return 2 * 2 * int(inThisProcess.Load()) }

// survives runs a fault between two good requests. Afterwards the goroutines are
// back to what they were.
func (w *world) survives(fault func()) {
	w.t.Helper()
	w.leavesNothing(w.requireGood, fault)
}

// leavesNothing is survives with requests of the row's own to begin and to end with.
func (w *world) leavesNothing(request, fault func()) {
	w.t.Helper()
	for range 3 { // connections are made by the first requests
		request()
	}
	if w.slack > 0 {
		w.connectAll()
	}
	before := w.atRest()
	w.reset()
	fault()
	w.reset()
	request()
	require.Eventually(w.t, func() bool { return w.routines() <= before+w.slack }, waitLimit, waitStep,
		"goroutines: %d before the fault, and after it %s", before, lazily(func() string {
			return fmt.Sprint(w.routines(), ":\n", strings.Join(ownStacks(), "\n\n"))
		}))
	require.Eventually(w.t, func() bool { return harness.AccessLogStreams() <= mostLogStreams() }, waitLimit, waitStep,
		"access logs of Envoys that are gone are still read")
}

// connectAll sends so many good requests at once that every thread of Envoy has one: each
// has its own connections and log streams to semlb, which stay.
func (w *world) connectAll() {
	w.t.Helper()
	var all errgroup.Group
	for range 32 {
		all.Go(func() error {
			if by := w.servedBy(chat(code)); by != codeModel {
				return fmt.Errorf("served by %q", by)
			}
			return nil
		})
	}
	require.NoError(w.t, all.Wait())
}

// atRest is the number of goroutines when nothing is in flight.
func (w *world) atRest() int {
	n := w.routines()
	for range 20 {
		time.Sleep(waitStep)
		n = min(n, w.routines())
	}
	return n
}

// lazily makes text only if it is printed.
type lazily func() string

func (f lazily) String() string { return f() }

func (w *world) reset() {
	for _, s := range w.stubs() {
		s.Reset()
	}
}

// requireGood sends a good request: it is served, by the right target, and that
// target sees exactly what it should.
func (w *world) requireGood() {
	w.t.Helper()
	before := len(w.code.Requests())
	answer := w.post(harness.Chat(code, `"model":"the client's"`))
	require.Equal(w.t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(w.t, codeModel, answer.Header.Get("X-Stub"))
	require.Equal(w.t, "openai/"+codeModel, answer.Header.Get("X-Kong-Llm-Model"))
	all := w.code.Requests()
	require.Len(w.t, all, before+1)
	requireAttempt(w.t, all[before], w.code, code)
}

// requireAttempt checks that a stub's request was rewritten for it.
func requireAttempt(t *testing.T, got harness.Received, s *harness.Stub, prompt string) {
	t.Helper()
	want := harness.Chat(prompt, fmt.Sprintf(`"model":%q`, s.Name))
	require.Equal(t, want, string(got.Body))
	require.EqualValues(t, len(want), got.ContentLength)
	require.Equal(t, s.Authority, got.Host)
	require.Equal(t, []string{keyOf(s.Name)}, got.Header["Authorization"])
}

// chat is a chat request in which the model comes first, as requireAttempt wants it.
func chat(prompt string) string { return harness.Chat(prompt, `"model":"the client's"`) }

// post sends a request over HTTP/1.
func (w *world) post(body string, headers ...http.Header) harness.Answer {
	w.t.Helper()
	return w.postOver(w.client, body, headers...)
}

func (w *world) postOver(c *http.Client, body string, headers ...http.Header) harness.Answer {
	w.t.Helper()
	answer, err := harness.Send(c, w.request(w.t.Context(), strings.NewReader(body), headers...))
	require.NoError(w.t, err)
	return answer
}

// servedBy sends a request and returns which stub served it; "" if none. Unlike post it
// can be called by any goroutine.
func (w *world) servedBy(body string) string {
	answer, err := harness.Send(w.client, w.request(w.t.Context(), strings.NewReader(body)))
	if err != nil || answer.Status != http.StatusOK {
		return ""
	}
	return answer.Header.Get("X-Stub")
}

// counts are the requests that the stubs have seen.
func (w *world) counts() [3]int {
	var n [3]int
	for i, s := range w.stubs() {
		n[i] = len(s.Requests())
	}
	return n
}

// requireNothingSent checks that no target saw anything since the last reset.
func (w *world) requireNothingSent() {
	w.t.Helper()
	require.Equal(w.t, [3]int{}, w.counts(), "requests at the targets")
}

// requireRefused checks that a request was answered by semlb itself.
func (w *world) requireRefused(answer harness.Answer, status int, reason string) {
	w.t.Helper()
	require.Equal(w.t, status, answer.Status, answer.Body)
	require.Equal(w.t, reason, answer.OpenAIError(w.t).Code)
	require.NoError(w.t, answer.Err)
}
