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
	if number(20, id, 0) == 0 {
		s.refusedOne(clients[harness.Protocols()[id%2]], id)
		return
	}
	r := newRequest(id)
	r.generation = s.confirmed.Load()
	s.mu.Lock()
	s.sent++
	s.requests[id] = r
	s.mu.Unlock()
	answer, err := s.post(clients[r.protocol], id, r.body("the-client's"), nil)
	s.mu.Lock()
	delete(s.requests, id)
	attempts := r.attempts
	excused := overlaps(s.envoy, r.started, 0)
	s.mu.Unlock()
	if what := s.compare(r, attempts, answer, err); what != "" {
		if excused {
			s.mu.Lock()
			s.duringEnvoy++
			s.mu.Unlock()
			return
		}
		s.report("request %d over %s, lane %d, stream %v, after %s: %s", id, r.protocol, r.lane, r.stream, time.Since(r.started), what)
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
func (s *soak) refusedOne(client *http.Client, id int) {
	started := time.Now()
	body, header, status := malformed(id)
	answer, err := s.post(client, id, body, header)
	s.mu.Lock()
	s.malformed++
	excused := overlaps(s.envoy, started, 0)
	s.mu.Unlock()
	if err != nil || answer.Status != status || !strings.Contains(answer.Body, `"error"`) {
		if excused {
			s.mu.Lock()
			s.duringEnvoy++
			s.mu.Unlock()
			return
		}
		s.report("malformed request %d: got %d, %v, %.200s, want %d", id, answer.Status, err, answer.Body, status)
	}
}

func (s *soak) post(client *http.Client, id int, body string, header http.Header) (harness.Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), clientLimit)
	defer cancel()
	own := http.Header{"Authorization": {"Bearer the-clients"}, idHeader: {strconv.Itoa(id)}}
	return harness.Send(client, s.Request(ctx, harness.ChatPath, strings.NewReader(body), own, header))
}

// compare returns what is wrong with an answer; "" if nothing is.
func (s *soak) compare(r *request, attempts []attempt, answer harness.Answer, err error) string {
	if err != nil {
		return "no answer: " + err.Error()
	}
	lane, ok := laneOf(answer, attempts, r.lane)
	if !ok {
		return fmt.Sprintf("got %d of no target, %v, %.200s, attempts %v", answer.Status, answer.Err, answer.Body, attempts)
	}
	if lane != r.lane {
		if what := s.degrade(r, lane); what != "" {
			return what
		}
	}
	want, last := r.expected(lane)
	if !slices.Equal(attempts, want) {
		return fmt.Sprintf("tried %v, want %v; got %d, %.200s", attempts, want, answer.Status, answer.Body)
	}
	return r.compareAnswer(answer, lane, last)
}

// laneOf is the lane that a request was sent to, by its model header or by who
// was asked.
func laneOf(answer harness.Answer, attempts []attempt, planned int) (int, bool) {
	if len(attempts) > 0 {
		return attempts[0].lane, true
	}
	model := answer.Header.Get("X-Kong-Llm-Model")
	for lane := range lanes() {
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

func (r *request) compareAnswer(answer harness.Answer, lane, last int) string {
	stub, o := lanes()[lane][last], r.outcome(lane, last)
	status, code := o.status, o.code
	switch {
	case stub < 0:
		status, code = 502, "upstream_connection_failed"
	case stub == secure && code == "upstream_invalid_response":
		code = "upstream_reset"
	}
	model := harness.ServedBy(status, "openai/"+modelOf(lane, last))
	if answer.Err != nil || answer.Status != status || answer.Header.Get("X-Kong-Llm-Model") != model ||
		code != "" && !strings.Contains(answer.Body, `"`+code+`"`) {
		return fmt.Sprintf("got %d, %s, %v, %.200s; want %d, %s, %s",
			answer.Status, answer.Header.Get("X-Kong-Llm-Model"), answer.Err, answer.Body, status, model, code)
	}
	if r.stream && status == http.StatusOK &&
		(strings.Count(answer.Body, "data: {") != events || !strings.HasSuffix(answer.Body, "data: [DONE]\n\n")) {
		return fmt.Sprintf("the stream is not whole: %.2000s", answer.Body)
	}
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
	at, generation, what := s.target(r, stub, x)
	if what == "" {
		what = s.compareDelivery(r, at, generation, stub, x)
	}
	if what != "" {
		s.report("request %d at stub %d: %s", id, stub, what)
	}
	outcome := r.outcome(at.lane, at.target)
	s.mu.Lock()
	r.note(at, outcome.code == "upstream_reset")
	s.mu.Unlock()
	outcome.behaviour(x)
}

// target is who a delivery is for, by its key, which must be one of this stub and of
// a generation that may be in force.
func (s *soak) target(r *request, stub int, x *harness.Exchange) (at attempt, generation int64, what string) {
	key := strings.Join(x.Request.Header["Authorization"], "|")
	if _, err := fmt.Sscanf(key, "Bearer key-%d-%d-%d", &at.lane, &at.target, &generation); err != nil || key != keyOf(at.lane, at.target, generation) {
		return attempt{}, 0, fmt.Sprintf("an unknown key: %q", key)
	}
	all := lanes()
	if at.lane >= len(all) || at.target >= len(all[at.lane]) || all[at.lane][at.target] != stub {
		return attempt{}, 0, fmt.Sprintf("the key of another target: %q", key)
	}
	if at.lane != r.lane && at.lane != 0 {
		return at, generation, fmt.Sprintf("lane %d, want %d", at.lane, r.lane)
	}
	if generation < r.generation || generation > s.written.Load() {
		return at, generation, fmt.Sprintf("a key of generation %d, want %d to %d", generation, r.generation, s.written.Load())
	}
	return at, generation, ""
}

func (s *soak) compareDelivery(r *request, at attempt, _ int64, stub int, x *harness.Exchange) string {
	want := r.body(modelOf(at.lane, at.target))
	switch {
	case x.Request.Method != http.MethodPost || x.Request.RequestURI != harness.ChatPath:
		return "wrong path: " + x.Request.Method + " " + x.Request.RequestURI
	case x.Request.Host != s.stubs[stub].Authority:
		return "wrong authority: " + x.Request.Host
	case x.Request.ContentLength != int64(len(want)):
		return fmt.Sprintf("content-length %d, want %d", x.Request.ContentLength, len(want))
	case r.outcome(at.lane, at.target).unread:
		return ""
	}
	if got := string(x.Body()); got != want {
		s.mu.Lock()
		cut := overlaps(s.envoy, r.started, 5*time.Second) && strings.HasPrefix(want, got)
		s.mu.Unlock()
		if !cut { // Envoy was killed while it sent this
			return fmt.Sprintf("wrong body, %d bytes: %.300s", len(got), got)
		}
	}
	return ""
}
