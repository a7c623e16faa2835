package soak_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"semlb/test/harness"
	"semlb/test/traffic"
)

const (
	idHeader = "X-Soak-Id"
	workers  = 8
	// think is how long a worker rests between two requests, on average.
	think = 60 * time.Millisecond
	// clientLimit is above the longest plan: four targets that hang.
	clientLimit = 45 * time.Second
	// healing is how long plans may still be degraded after the embedder is back: its
	// breaker probes only now and then.
	healing = 25 * time.Second
)

// one sends the request of a number and compares its answer.
func (s *soak) one(clients map[harness.Protocol]*http.Client, id int) {
	r := newRequest(id)
	if r.Draw(20, 0) == 0 {
		s.refusedOne(clients[r.Protocol], r)
		return
	}
	r.generation = s.confirmed.Load()
	s.mu.Lock()
	s.sent++
	s.requests[id] = r
	s.mu.Unlock()
	answer, err := s.post(clients[r.Protocol], id, r.Body("the-client's"), nil)
	s.mu.Lock()
	delete(s.requests, id)
	attempts := r.tried.Attempts
	excused := overlaps(s.envoy, r.started, 0)
	s.mu.Unlock()
	if what := s.compare(r, attempts, answer, err); what != "" {
		if excused {
			s.mu.Lock()
			s.duringEnvoy++
			s.mu.Unlock()
			return
		}
		s.report("request %d over %s, lane %d, stream %v, after %s: %s", id, r.Protocol, r.Lane, r.Stream, time.Since(r.started), what)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered++
	if len(attempts) > 1 {
		s.moved++
	}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		s.streams++
	}
}

// refusedOne sends a request that is wrong.
func (s *soak) refusedOne(client *http.Client, r *request) {
	body, header, status := malformed(&r.Request)
	answer, err := s.post(client, r.ID, body, header)
	s.mu.Lock()
	s.malformed++
	excused := overlaps(s.envoy, r.started, 0)
	s.mu.Unlock()
	if err != nil || answer.Status != status || !strings.Contains(answer.Body, `"error"`) {
		if excused {
			s.mu.Lock()
			s.duringEnvoy++
			s.mu.Unlock()
			return
		}
		s.report("malformed request %d: got %d, %v, %.200s, want %d", r.ID, answer.Status, err, answer.Body, status)
	}
}

func (s *soak) post(client *http.Client, id int, body string, header http.Header) (harness.Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), clientLimit)
	defer cancel()
	own := http.Header{"Authorization": {"Bearer the-clients"}, idHeader: {strconv.Itoa(id)}}
	return harness.Send(client, s.Request(ctx, harness.ChatPath, strings.NewReader(body), own, header))
}

// compare returns what is wrong with an answer; "" if nothing is.
func (s *soak) compare(r *request, attempts []traffic.Attempt, answer harness.Answer, err error) string {
	if err != nil {
		return "no answer: " + err.Error()
	}
	lane, ok := laneOf(answer, attempts, r.Lane)
	if !ok {
		return fmt.Sprintf("got %d of no target, %v, %.200s, attempts %v", answer.Status, answer.Err, answer.Body, attempts)
	}
	if lane != r.Lane {
		if what := s.degrade(r, lane); what != "" {
			return what
		}
	}
	want, last := r.Expected(lane)
	if !slices.Equal(attempts, want) {
		return fmt.Sprintf("tried %v, want %v; got %d, %.200s", attempts, want, answer.Status, answer.Body)
	}
	return r.CompareAnswer(answer, last)
}

// laneOf is the lane that a request was sent to, by its model header or by who
// was asked.
func laneOf(answer harness.Answer, attempts []traffic.Attempt, planned int) (int, bool) {
	if len(attempts) > 0 {
		return attempts[0].Lane, true
	}
	model := answer.Header.Get("X-Kong-Llm-Model")
	for lane := range traffic.Lanes() {
		if strings.HasPrefix(model, fmt.Sprintf("openai/model-%d-", lane)) {
			return lane, true
		}
	}
	return planned, false
}

// degrade counts a request that the default group served. That is right only while
// the embedder is down, and a little longer.
func (s *soak) degrade(r *request, lane int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lane != 0 || !overlaps(s.embedded, r.started, healing) {
		return fmt.Sprintf("went to lane %d", lane)
	}
	s.degraded++
	return ""
}

// receive checks an attempt at a stub and behaves as planned.
func (s *soak) receive(stub int, x *harness.Exchange) {
	id, err := strconv.Atoi(x.Request.Header.Get(idHeader))
	s.mu.Lock()
	s.deliveries++
	r := s.requests[id]
	late := r == nil && overlaps(s.envoy, time.Now(), 20*time.Second)
	s.mu.Unlock()
	if err != nil || r == nil {
		if !late { // Envoy was killed after it had sent this, and the client knows
			s.report("stub %d: a delivery for request %q, which is not in flight", stub, x.Request.Header.Get(idHeader))
		}
		return
	}
	at, err := s.target(r, stub, x)
	if err != nil {
		s.report("request %d at stub %d: %v", id, stub, err)
		return
	}
	if what := s.compareDelivery(r, at, x); what != "" {
		s.report("request %d at stub %d: %s", id, stub, what)
	}
	outcome := r.Outcome(at)
	s.mu.Lock()
	r.tried.Note(at, outcome)
	s.mu.Unlock()
	outcome.Behaviour(x)
}

// target is who a delivery is for, by its key, which must be one of this stub and of
// a generation that may be in force.
func (s *soak) target(r *request, stub int, x *harness.Exchange) (traffic.Attempt, error) {
	at, generation, err := traffic.ReadKey(strings.Join(x.Request.Header["Authorization"], "|"), stub)
	if err != nil {
		return at, err
	}
	if at.Lane != r.Lane && at.Lane != 0 {
		return at, fmt.Errorf("lane %d, want %d", at.Lane, r.Lane)
	}
	if generation < r.generation || generation > s.written.Load() {
		return at, fmt.Errorf("a key of generation %d, want %d to %d", generation, r.generation, s.written.Load())
	}
	return at, nil
}

// compareDelivery lets a body be cut while Envoy is killed.
func (s *soak) compareDelivery(r *request, at traffic.Attempt, x *harness.Exchange) string {
	authority := s.stubs[at.Stub()].Authority
	what := r.CompareDelivery(at, authority, x, true)
	s.mu.Lock()
	killed := overlaps(s.envoy, r.started, 5*time.Second)
	s.mu.Unlock()
	if what != "" && killed {
		return r.CompareDelivery(at, authority, x, false)
	}
	return what
}
