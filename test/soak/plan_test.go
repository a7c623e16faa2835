package soak_test

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"time"

	"semlb/envoy"
	"semlb/test/harness"
)

const (
	events   = 8 // of a stream
	eventGap = 30 * time.Millisecond
)

// outcome is one way an attempt ends.
type outcome struct {
	weight    int
	behaviour harness.Behaviour
	// moves reports that the next target is tried.
	moves bool
	// status and code are what the client gets if this is the last attempt.
	status int
	code   string
	// unread is true if the body may not have been read.
	unread bool
}

func outcomes() []outcome {
	all := []outcome{
		{weight: 55, behaviour: harness.OK(), status: http.StatusOK},
		{weight: 10, behaviour: harness.Status(429), moves: true, status: 429},
		{weight: 7, behaviour: harness.Status(503), moves: true, status: 503},
		{weight: 6, behaviour: harness.Reset(), moves: true, status: 502, code: "upstream_reset"},
		{weight: 5, behaviour: harness.ResetEarly(), moves: true, status: 502, code: "upstream_reset", unread: true},
		{weight: 5, behaviour: harness.Close(), moves: true, status: 502, code: "upstream_reset"},
		{weight: 2, behaviour: harness.Garbage(), moves: true, status: 502, code: "upstream_invalid_response"},
		{weight: 2, behaviour: harness.BadHeader(), moves: true, status: 502, code: "upstream_invalid_response"},
		{weight: 1, behaviour: harness.Hang(), moves: true, status: 504, code: "upstream_timeout"},
	}
	for _, code := range []int{400, 401, 404, 500, 502, 504} {
		all = append(all, outcome{weight: 1, behaviour: harness.Status(code), status: code})
	}
	return all
}

// request is one planned request. Everything about it follows from its number.
type request struct {
	id       int
	lane     int
	protocol harness.Protocol
	stream   bool
	padding  int
	// generation of the configuration that was surely in force when it was sent.
	generation int64
	started    time.Time
	attempts   []attempt // guarded by the soak's lock
	repeats    int       // how often the last of them was made again
}

// note keeps an attempt, unless it is the one before that is made again: the target breaks
// connections, and this one may have been used before.
func (r *request) note(at attempt, breaks bool) {
	if n := len(r.attempts); n > 0 && r.attempts[n-1] == at && breaks && r.repeats < envoy.MostRepeats {
		r.repeats++
		return
	}
	r.attempts, r.repeats = append(r.attempts, at), 0
}

// attempt is a target that was tried.
type attempt struct{ lane, target int }

// number is pseudo-random and below n; it depends on nothing but its arguments.
func number(n int, of ...int) int {
	h := fnv.New64a()
	fmt.Fprint(h, of)
	return int(h.Sum64() % uint64(n))
}

func newRequest(id int) *request {
	r := &request{
		id: id, lane: number(len(lanes()), id, 1), protocol: harness.Protocols()[number(2, id, 2)],
		stream: number(10, id, 3) == 0, started: time.Now(),
	}
	// Most bodies are small; one in fifty has up to 200 KB.
	r.padding = number(3000, id, 4)
	if number(50, id, 5) == 0 {
		r.padding = number(200_000, id, 6)
	}
	return r
}

// body is the request's body, with the model that a target has.
func (r *request) body(model string) string {
	members := []string{`"model":"` + model + `"`}
	if r.stream {
		members = append(members, `"stream":true`)
	}
	members = append(members, `"padding":"`+strings.Repeat("x", r.padding)+`"`)
	return harness.Chat(fmt.Sprintf("%s %d", description(r.lane), r.prompt()), members...)
}

// prompt is the number of the request's prompt. One in fifty is new, so that the
// embedder is called; the others repeat, so that the growth of the cache of vectors, up
// to 64 MiB, does not hide a leak.
func (r *request) prompt() int {
	if number(50, r.id, 10) == 0 {
		return r.id
	}
	return r.id % 500
}

// outcome is the outcome of the request at a target of a lane.
func (r *request) outcome(lane, target int) outcome {
	all := outcomes()
	sum := 0
	for _, o := range all {
		sum += o.weight
	}
	n := number(sum, r.id, lane, target, 7)
	for _, o := range all {
		if n -= o.weight; n < 0 {
			if r.stream && o.status == http.StatusOK {
				o.behaviour = harness.SSE(events, eventGap)
			}
			return o
		}
	}
	panic("unreachable")
}

// lanes are indices of stubs, -1 for an address that refuses connections. The first
// one is the default group: it has the largest weight.
func lanes() [][]int { return [][]int{{0, 1, 2, 3}, {3, -1, 1, 0}, {-1, 2, 3}} }

// secure is the stub behind TLS, which is spoken to over HTTP/2.
const secure = 3

// expected returns the targets of a lane that are tried, and the last outcome.
func (r *request) expected(lane int) (asked []attempt, last int) {
	for target, stub := range lanes()[lane] {
		last = target
		moves := true
		if stub >= 0 {
			asked = append(asked, attempt{lane, target})
			moves = r.outcome(lane, target).moves
		}
		if !moves {
			break
		}
	}
	return asked, last
}

func description(lane int) string { return fmt.Sprintf("lane %d is for questions like this one", lane) }

func modelOf(lane, target int) string { return fmt.Sprintf("model-%d-%d", lane, target) }

func keyOf(lane, target int, generation int64) string {
	return fmt.Sprintf("Bearer key-%d-%d-%d", lane, target, generation)
}

// malformed are requests that no target may see.
func malformed(id int) (body string, header http.Header, status int) {
	const messages = `"messages":[{"role":"user","content":"hello"}]`
	switch number(7, id, 8) {
	case 0:
		return `{` + messages, nil, 400
	case 1:
		return `[]`, nil, 400
	case 2:
		return `{"model":"x"}`, nil, 400
	case 3:
		return `{"model":"a","model":"b",` + messages + `}`, nil, 400
	case 4:
		return `{` + messages + `}`, http.Header{"Content-Type": {"text/plain"}}, 400
	case 5:
		return `{` + messages + `}`, http.Header{"Content-Encoding": {"gzip"}}, 415
	default:
		return `{` + messages + strings.Repeat(" ", bodyLimit+bodyStep*(bodySteps+8)) + `}`, nil, 413
	}
}
