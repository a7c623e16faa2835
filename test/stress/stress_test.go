package stress_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/ca"
	"semlb/test/harness"
	"semlb/test/traffic"
)

const (
	atOnce   = 48
	idHeader = "X-Stress-Id"
)

// request is one planned request.
type request struct {
	traffic.Request
	// slow is true if the client sends the body in pieces, chunked if it does not say its
	// length.
	slow, chunked bool
	// leaves is when the client disconnects; 0 is never.
	leaves time.Duration
	tried  traffic.Tried // guarded by the stress's lock
}

// prompts are the descriptions of the lanes: sentences far from each other.
var prompts = []string{
	"How do I cook fresh pasta at home?",
	"Why does my program crash with a segmentation fault?",
	"When did the Roman empire fall?",
}

// newRequest plans a request, whose body has 0.3 to 300 KB.
func newRequest(seed, id int) *request {
	r := &request{Request: traffic.New(seed, id)}
	r.Prompt = prompts[r.Lane]
	u := float64(r.Draw(1000, 4)) / 1000
	r.Padding = int(200 * math.Pow(1500, u*u))
	r.slow, r.chunked = r.Draw(10, 5) == 0, r.Draw(8, 6) == 0
	if r.Draw(12, 8) == 0 {
		r.leaves = time.Duration(1+r.Draw(300, 9)) * time.Millisecond
	}
	return r
}

// upload is the request's body as its client sends it.
func (r *request) upload() io.Reader {
	body := strings.NewReader(r.Body("the-client's"))
	switch {
	case r.slow:
		return &pieces{Reader: body, size: body.Len()/4 + 1}
	case r.chunked:
		return struct{ io.Reader }{body} // hides the length
	}
	return body
}

// pieces is a body that is read in pieces, with a gap between them.
type pieces struct {
	io.Reader
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	time.Sleep(5 * time.Millisecond)
	return p.Reader.Read(b[:min(len(b), p.size)])
}

// stress is the servers, the requests and what was seen.
type stress struct {
	semlb    *harness.Semlb
	stubs    []*harness.Stub
	clients  map[harness.Protocol]*http.Client
	requests []*request

	mu    sync.Mutex
	wrong []string
	left  int // clients that disconnected without an answer
}

func (s *stress) report(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// TestThousandsOfRequestsAtOnceGoWhereTheyShould plans every request and its failures
// beforehand, by a seed, and compares everything: which targets are tried and in which
// order, each byte they get, and what the client gets.
func TestThousandsOfRequestsAtOnceGoWhereTheyShould(t *testing.T) {
	seed, count := setting(t, "STRESS_SEED", 20260214), setting(t, "STRESS", 3000)
	s := newStress(t, seed, count)
	start := time.Now()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, r := range s.requests {
		group.Go(func() error {
			s.send(r)
			return nil
		})
	}
	require.NoError(t, group.Wait())
	took := time.Since(start)
	attempts, later := s.compareAttempts()
	t.Logf("STRESS_SEED=%d, Envoy %s, hop %s: %d requests, %d attempts that reached a target, %d clients that left, in %s (%.0f requests/s)",
		seed, harness.EnvoyVersion(), harness.Hop(), count, attempts, s.left, took.Round(time.Millisecond), float64(count)/took.Seconds())
	require.Greater(t, later, count/4, "the plan has too little failover to show anything")
	require.NotZero(t, s.left)
	if len(s.wrong) > 0 {
		t.Fatalf("%d mismatches, the first ones:\n%s", len(s.wrong), strings.Join(s.wrong[:min(20, len(s.wrong))], "\n"))
	}
	planned := int(s.semlb.Metric("semlb_decisions_total", "reason", "matched"))
	require.LessOrEqual(t, planned, count)
	require.GreaterOrEqual(t, planned, count-s.left, "requests that were not planned, or by another reason")
}

// setting is a number from the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

func newStress(t *testing.T, seed, count int) *stress {
	authority := ca.New(t)
	s := &stress{
		stubs: []*harness.Stub{
			harness.NewStub(t, "s0"), harness.NewStub(t, "s1"), harness.NewStub(t, "s2"), harness.NewTLSStub(t, "s3", authority),
		},
		clients: map[harness.Protocol]*http.Client{},
	}
	for _, p := range harness.Protocols() {
		s.clients[p] = harness.NewClient(t, p)
	}
	for id := range count {
		s.requests = append(s.requests, newRequest(seed, id))
	}
	for i, stub := range s.stubs {
		stub.Forget()
		stub.Do(func(x *harness.Exchange) { s.receive(i, x) })
	}
	// Timeout and budget are far above what a busy machine can be late.
	s.semlb = harness.Start(t, harness.Options{
		Config: harness.Config(s.plugin(harness.RefusedURL(t))),
		Flags:  []string{"--trusted-ca", authority.File, "--decision-budget", "20s"},
	})
	return s
}

// plugin has the targets of all lanes.
func (s *stress) plugin(refused string) harness.Plugin {
	p := harness.Plugin{Failover: harness.SeedCriteria(), ReadTimeout: 5000}
	for lane, stubs := range traffic.Lanes() {
		for target, stub := range stubs {
			url, at := refused, traffic.Attempt{Lane: lane, Target: target}
			if stub != traffic.Refuses {
				url = s.stubs[stub].URL
			}
			p.Targets = append(p.Targets, harness.Target{
				URL: url, Model: at.Model(), Weight: 100 - target, Description: prompts[lane], Authorization: at.Key(0),
			})
		}
	}
	return p
}

// receive checks an attempt at a stub and behaves as planned.
func (s *stress) receive(stub int, x *harness.Exchange) {
	id, err := strconv.Atoi(x.Request.Header.Get(idHeader))
	if err != nil || id < 0 || id >= len(s.requests) {
		s.report("stub %d: request without a known ID", stub)
		return
	}
	r := s.requests[id]
	at, _, err := traffic.ReadKey(strings.Join(x.Request.Header["Authorization"], "|"), stub)
	if err != nil || at.Lane != r.Lane {
		s.report("request %d of lane %d at stub %d: %v, lane %d", id, r.Lane, stub, err, at.Lane)
		return
	}
	outcome := r.Outcome(at)
	s.mu.Lock()
	r.tried.Note(at, outcome)
	s.mu.Unlock()
	if what := r.CompareDelivery(at, s.stubs[stub].Authority, x, r.leaves == 0); what != "" {
		s.report("request %d, target %d: %s", id, at.Target, what)
	}
	outcome.Behaviour(x)
}

// send sends a request and compares its answer.
func (s *stress) send(r *request) {
	ctx := s.semlb.Context()
	if r.leaves > 0 {
		var leave context.CancelFunc
		ctx, leave = context.WithTimeout(ctx, r.leaves)
		defer leave()
	}
	post := s.semlb.Request(ctx, harness.ChatPath, r.upload(), http.Header{
		idHeader: {strconv.Itoa(r.ID)}, "Authorization": {"Bearer the-clients"},
	})
	if r.slow && !r.chunked {
		post.ContentLength = int64(len(r.Body("the-client's")))
	}
	answer, err := harness.Send(s.clients[r.Protocol], post)
	if r.leaves > 0 && (errors.Is(err, context.DeadlineExceeded) || errors.Is(answer.Err, context.DeadlineExceeded)) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.left++
		return
	}
	if err != nil {
		s.report("request %d over %s: no answer: %v", r.ID, r.Protocol, err)
		return
	}
	_, last := r.Expected(r.Lane)
	if what := r.CompareAnswer(answer, last); what != "" {
		s.report("request %d over %s, %d bytes, slow %v, chunked %v, lane %d, last %v: %s", r.ID, r.Protocol, r.Padding, r.slow, r.chunked, r.Lane, last, what)
	}
	if got, want := answer.Header.Get("X-Stub"), s.answeredBy(r, last); got != want {
		s.report("request %d over %s: answered by %q, want %q", r.ID, r.Protocol, got, want)
	}
}

// answeredBy is the name of the stub whose answer the client gets; "" if it is Envoy's.
func (s *stress) answeredBy(r *request, last traffic.Attempt) string {
	if last.Stub() == traffic.Refuses || r.Outcome(last).Code != "" {
		return ""
	}
	return s.stubs[last.Stub()].Name
}

// compareAttempts compares which targets were tried, and in which order. Those of a
// client that left are the first of its plan. It returns how many attempts there were, and
// how many of them were not the first of their request.
func (s *stress) compareAttempts() (all, later int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		got, n := r.tried.Attempts, len(r.tried.Attempts)
		want, _ := r.Expected(r.Lane)
		if r.leaves > 0 {
			want = want[:min(n, len(want))]
		}
		if !slices.Equal(got, want) {
			s.wrong = append(s.wrong, fmt.Sprintf("request %d: tried %v, want %v", r.ID, got, want))
		}
		all, later = all+n, later+max(0, n-1)
	}
	return all, later
}
