package e2e_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/ca"
	"semlb/test/harness"
)

const (
	stressRequests = 3000
	stressAtOnce   = 48
	stressID       = "X-Stress-Id"
)

// outcome is one way an attempt ends in the stress test.
type outcome struct {
	weight    int
	behaviour harness.Behaviour
	// moves reports that the next target is tried.
	moves bool
	// status and code are what the client gets if this is the last attempt; over
	// HTTP/2 a status that is Envoy's own is a reset's.
	status int
	code   string
}

func outcomes() []outcome {
	all := []outcome{
		{45, harness.OK(), false, 200, ""},
		{12, harness.Status(429), true, 429, ""},
		{8, harness.Status(503), true, 503, ""},
		{6, harness.Reset(), true, 502, "upstream_reset"},
		{5, harness.ResetEarly(), true, 502, "upstream_reset"},
		{5, harness.Close(), true, 502, "upstream_reset"},
		{3, harness.Garbage(), true, 502, "upstream_invalid_response"},
		{3, harness.BadHeader(), true, 502, "upstream_invalid_response"},
		{1, harness.Hang(), true, 504, "upstream_timeout"},
	}
	for _, code := range []int{400, 401, 404, 408, 500, 502, 504} {
		all = append(all, outcome{2, harness.Status(code), false, code, ""})
	}
	return all
}

// stressed is one planned request.
type stressed struct {
	id       int
	lane     int
	protocol harness.Protocol
	padding  int
	// outcomes are those of the lane's targets.
	outcomes []outcome
}

func (r *stressed) body(members ...string) string {
	members = append(members, `"padding":"`+strings.Repeat("x", r.padding)+`"`)
	return harness.Chat(prompts()[r.lane], members...)
}

// stress is the servers, the requests and what was seen.
type stress struct {
	semlb    *harness.Semlb
	stubs    []*harness.Stub
	lanes    [][]int // indices of stubs, -1 for an address that refuses
	requests []*stressed

	mu       sync.Mutex
	attempts map[int][]int // by request, the lane's targets in the order they were tried
	nth      map[int]int64 // by request, the position of its last attempt on its connection
	repeats  map[int]int   // by request, how often its last attempt was made again
	// early counts the repeats after an attempt that was its connection's first. There are
	// few: Envoy may have made the connection for another request, before the attempt.
	early int
	wrong []string
}

func (s *stress) report(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// TestThousandsOfRequestsAtOnceGoWhereTheyShould plans every request and its
// failures beforehand, by a seed, and compares everything: which targets are tried
// and in which order, each byte they get, and what the client gets.
func TestThousandsOfRequestsAtOnceGoWhereTheyShould(t *testing.T) {
	const seed = 20260214
	s := newStress(t)
	s.plan(rand.New(rand.NewPCG(seed, seed)))
	clients := map[harness.Protocol]*http.Client{}
	for _, p := range harness.Protocols() {
		clients[p] = harness.NewClient(t, p)
	}
	start := time.Now()
	var group errgroup.Group
	group.SetLimit(stressAtOnce)
	for _, r := range s.requests {
		group.Go(func() error {
			s.send(clients[r.protocol], r)
			return nil
		})
	}
	require.NoError(t, group.Wait())
	s.compareAttempts()
	took := time.Since(start)

	total, later := 0, 0
	for _, asked := range s.attempts {
		total += len(asked)
		later += len(asked) - 1
	}
	t.Logf("seed %d: %d requests, %d attempts that reached a provider, in %s (%.0f requests/s)",
		seed, stressRequests, total, took.Round(time.Millisecond), stressRequests/took.Seconds())
	require.Greater(t, later, stressRequests/4, "the plan has too little failover to show anything")
	if len(s.wrong) > 0 {
		t.Fatalf("%d mismatches, the first ones:\n%s", len(s.wrong), strings.Join(s.wrong[:min(20, len(s.wrong))], "\n"))
	}
	require.Less(t, s.early, stressRequests/100, "attempts on new connections are not repeated")
	require.EqualValues(t, stressRequests, s.semlb.Metric("semlb_decisions_total", "reason", "matched"))
}

func newStress(t *testing.T) *stress {
	authority := ca.New(t)
	s := &stress{
		stubs: []*harness.Stub{
			harness.NewStub(t, "s0"), harness.NewStub(t, "s1"), harness.NewStub(t, "s2"), harness.NewTLSStub(t, "s3", authority),
		},
		lanes:    [][]int{{0, 1, 2, 3}, {3, -1, 1, 0}, {-1, 2, 3}},
		attempts: map[int][]int{}, nth: map[int]int64{}, repeats: map[int]int{},
	}
	refused := harness.RefusedURL(t)
	var urls [][]string
	for _, l := range s.lanes {
		var u []string
		for _, i := range l {
			if i < 0 {
				u = append(u, refused)
			} else {
				u = append(u, s.stubs[i].URL)
			}
		}
		urls = append(urls, u)
	}
	for i, stub := range s.stubs {
		stub.Do(func(x *harness.Exchange) { s.receive(i, x) })
	}
	// Timeout and budget are far above what this machine can be late.
	s.semlb = harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria(), ReadTimeout: 5000}, lanes(urls...))),
		Flags:  []string{"--trusted-ca", authority.File, "--decision-budget", "20s"},
	})
	return s
}

// plan draws the requests: their lanes, protocols and sizes from 0.3 to 300 KB, and
// the outcome of each attempt.
func (s *stress) plan(random *rand.Rand) {
	all := outcomes()
	sum := 0
	for _, o := range all {
		sum += o.weight
	}
	draw := func() outcome {
		n := random.IntN(sum)
		for _, o := range all {
			if n -= o.weight; n < 0 {
				return o
			}
		}
		panic("unreachable")
	}
	for id := range stressRequests {
		u := random.Float64()
		r := &stressed{
			id: id, lane: random.IntN(len(s.lanes)), protocol: harness.Protocols()[random.IntN(2)],
			padding: int(200 * math.Pow(1500, u*u)),
		}
		for range s.lanes[r.lane] {
			r.outcomes = append(r.outcomes, draw())
		}
		s.requests = append(s.requests, r)
	}
}

// receive checks an attempt at a stub and behaves as planned.
func (s *stress) receive(stub int, x *harness.Exchange) {
	id, err := strconv.Atoi(x.Request.Header.Get(stressID))
	if err != nil || id < 0 || id >= len(s.requests) {
		s.report("stub %d: request without a known ID", stub)
		return
	}
	r := s.requests[id]
	target := -1
	for i, l := range s.lanes[r.lane] {
		if l == stub {
			target = i
		}
	}
	s.note(id, target, x.Nth())
	if target < 0 {
		s.report("request %d: reached stub %d, which is not of its lane", id, stub)
		return
	}
	s.compareAttempt(r, target, stub, x)
	r.outcomes[target].behaviour(x)
}

// note keeps an attempt, unless it is the one before that is made once more, because its
// connection had been used.
func (s *stress) note(id, target int, nth int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tried, breaks := s.attempts[id], target >= 0 && s.requests[id].outcomes[target].code == "upstream_reset"
	if len(tried) == 0 || tried[len(tried)-1] != target || !breaks || s.repeats[id] > 0 {
		s.attempts[id], s.repeats[id], s.nth[id] = append(tried, target), 0, nth
		return
	}
	s.repeats[id]++
	if s.nth[id] == 1 {
		s.early++
	}
}

func (s *stress) compareAttempt(r *stressed, target, stub int, x *harness.Exchange) {
	want := r.body(`"model":"` + modelOf(r.lane, target) + `"`)
	compare := func(what string, got, want any) {
		if got != want {
			s.report("request %d, target %d: %s: got %v, want %v", r.id, target, what, got, want)
		}
	}
	compare("method", x.Request.Method, http.MethodPost)
	compare("path", x.Request.RequestURI, harness.ChatPath)
	compare("authority", x.Request.Host, s.stubs[stub].Authority)
	compare("authorization", strings.Join(x.Request.Header["Authorization"], "|"), keyOf(r.lane, target))
	compare("content-length", x.Request.ContentLength, int64(len(want)))
	compare("transfer-encoding", len(x.Request.TransferEncoding), 0)
	if r.outcomes[target].status == 502 && r.outcomes[target].code == "upstream_reset" {
		return // one of these does not read the body
	}
	compare("body", hash(string(x.Body())), hash(want))
}

// expected returns the lane's targets that are tried, and the last of them.
func (s *stress) expected(r *stressed) (asked []int, last int) {
	l := s.lanes[r.lane]
	for target, stub := range l {
		last = target
		moves := true
		if stub >= 0 {
			asked = append(asked, target)
			moves = r.outcomes[target].moves
		}
		if !moves {
			break
		}
	}
	return asked, last
}

func (s *stress) overHTTP2(stub int) bool { return strings.HasPrefix(s.stubs[stub].URL, "https:") }

// send sends a request and compares its answer.
func (s *stress) send(client *http.Client, r *stressed) {
	request := s.semlb.Request(s.semlb.Context(), harness.ChatPath, strings.NewReader(r.body(clientModel)),
		http.Header{stressID: {strconv.Itoa(r.id)}, "Authorization": {"Bearer the-clients"}})
	answer, err := harness.Send(client, request)
	if err != nil {
		s.report("request %d: no answer: %v", r.id, err)
		return
	}
	_, last := s.expected(r)
	stub, o := s.lanes[r.lane][last], r.outcomes[last]
	status, code := o.status, o.code
	switch {
	case stub < 0:
		status, code = 502, "upstream_connection_failed"
	case s.overHTTP2(stub) && code == "upstream_invalid_response":
		code = "upstream_reset"
	}
	model := harness.ServedBy(status, "openai/"+modelOf(r.lane, last))
	if answer.Err != nil || answer.Status != status || answer.Header.Get("X-Kong-Llm-Model") != model ||
		code != "" && !strings.Contains(answer.Body, `"`+code+`"`) {
		s.report("request %d over %s: got %d, %s, %v, %.200s; want %d, %s, %s", r.id, r.protocol,
			answer.Status, answer.Header.Get("X-Kong-Llm-Model"), answer.Err, answer.Body, status, model, code)
	}
	if code == "" && answer.Header.Get("X-Stub") != s.stubs[stub].Name {
		s.report("request %d: answered by %q, want %q", r.id, answer.Header.Get("X-Stub"), s.stubs[stub].Name)
	}
}

// compareAttempts compares which targets were tried, and in which order.
func (s *stress) compareAttempts() {
	for _, r := range s.requests {
		want, _ := s.expected(r)
		s.mu.Lock()
		got := s.attempts[r.id]
		s.mu.Unlock()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			s.report("request %d: tried targets %v, want %v", r.id, got, want)
		}
	}
}
