// Package traffic plans requests for suites that send many of them at once: where each
// goes, how each of its attempts ends, and what its client has to get. All of that
// follows from a seed and the request's number.
package traffic

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"

	"semlb/envoy"
	"semlb/test/harness"
)

// Request is one planned request.
type Request struct {
	ID, Lane int
	Protocol harness.Protocol
	Stream   bool
	// Prompt leads to Lane; the suite sets it.
	Prompt string
	// Padding is the number of bytes that the body has besides; the suite sets it.
	Padding int

	seed int
}

// New plans a request. Its suite sets what it is to contain.
func New(seed, id int) Request {
	r := Request{ID: id, seed: seed}
	r.Lane = r.Draw(len(lanes), 1)
	r.Protocol = harness.Protocols()[r.Draw(len(harness.Protocols()), 2)]
	r.Stream = r.Draw(10, 3) == 0
	return r
}

// Draw is a pseudo-random number from 0 to n-1, which depends on the request and on what
// it is for.
func (r *Request) Draw(n int, purpose ...int) int {
	h := fnv.New64a()
	fmt.Fprint(h, r.seed, r.ID, purpose)
	return int(h.Sum64() % uint64(n))
}

// Body is the request's body, with the model that a target has.
func (r *Request) Body(model string) string {
	members := []string{`"model":"` + model + `"`}
	if r.Stream {
		members = append(members, `"stream":true`)
	}
	members = append(members, `"padding":"`+strings.Repeat("x", r.Padding)+`"`)
	return harness.Chat(r.Prompt, members...)
}

// Attempt is a target that is tried.
type Attempt struct{ Lane, Target int }

// Model is the name of the target's model.
func (a Attempt) Model() string { return fmt.Sprintf("model-%d-%d", a.Lane, a.Target) }

// Key is the target's credential in a generation of the configuration.
func (a Attempt) Key(generation int64) string {
	return fmt.Sprintf("Bearer key-%d-%d-%d", a.Lane, a.Target, generation)
}

// Stub is the index of the target's stub, or [Refuses].
func (a Attempt) Stub() int { return lanes[a.Lane][a.Target] }

// ReadKey reads the credential of an attempt that reached a stub. It returns an error
// unless that is the one of a target of this stub.
func ReadKey(key string, stub int) (a Attempt, generation int64, err error) {
	if _, err := fmt.Sscanf(key, "Bearer key-%d-%d-%d", &a.Lane, &a.Target, &generation); err != nil || key != a.Key(generation) {
		return Attempt{}, 0, fmt.Errorf("an unknown key: %q", key)
	}
	if a.Lane >= len(lanes) || a.Target >= len(lanes[a.Lane]) || a.Stub() != stub {
		return Attempt{}, 0, fmt.Errorf("the key of another target: %q", key)
	}
	return a, generation, nil
}

// Outcome is how an attempt ends.
func (r *Request) Outcome(a Attempt) Outcome {
	o := drawn(r.Draw(weights, a.Lane, a.Target, 7))
	if r.Stream {
		return o.ofStream()
	}
	return o
}

// Expected returns the attempts at a lane that reach a stub, and the last one, which
// may not.
func (r *Request) Expected(lane int) (reach []Attempt, last Attempt) {
	for target := range lanes[lane] {
		last = Attempt{lane, target}
		if last.Stub() == Refuses {
			continue
		}
		reach = append(reach, last)
		if !r.Outcome(last).Moves {
			break
		}
	}
	return reach, last
}

// Tried is a record of a request's attempts that reached a stub. The zero value has none.
type Tried struct {
	Attempts []Attempt
	repeats  int // how often the last of them was made again
}

// Note keeps an attempt, unless it is the one before that is made once more because the
// target closed the connection, which may have been used before.
func (t *Tried) Note(a Attempt, o Outcome) {
	if n := len(t.Attempts); n > 0 && t.Attempts[n-1] == a && o.Ends && t.repeats < envoy.MostRepeats {
		t.repeats++
		return
	}
	t.Attempts, t.repeats = append(t.Attempts, a), 0
}

// CompareDelivery returns what is wrong with an attempt that reached a stub with an
// authority; "" if nothing is. whole is false if the body may be cut.
func (r *Request) CompareDelivery(a Attempt, authority string, x *harness.Exchange, whole bool) string {
	want := r.Body(a.Model())
	switch got := x.Request; {
	case got.Method != http.MethodPost || got.RequestURI != harness.ChatPath:
		return "wrong path: " + got.Method + " " + got.RequestURI
	case got.Host != authority:
		return "wrong authority: " + got.Host
	case got.ContentLength != int64(len(want)) || len(got.TransferEncoding) > 0:
		return fmt.Sprintf("content-length %d, transfer-encoding %q, want %d", got.ContentLength, got.TransferEncoding, len(want))
	case r.Outcome(a).Unread:
		return ""
	}
	body := string(x.Body())
	if body != want && (whole || !strings.HasPrefix(want, body)) {
		return fmt.Sprintf("wrong body, %d bytes: %.300s", len(body), body)
	}
	return ""
}

// CompareAnswer returns what is wrong with the answer after a last attempt; "" if nothing
// is.
func (r *Request) CompareAnswer(answer harness.Answer, last Attempt) string {
	o := r.Outcome(last)
	switch {
	case last.Stub() == Refuses:
		o = Outcome{Status: 502, Code: "upstream_connection_failed"}
	case last.Stub() == Secure && o.CodeHTTP2 != "":
		o.Code = o.CodeHTTP2
	}
	model := harness.ServedBy(o.Status, "openai/"+last.Model())
	if (answer.Err != nil) != o.Cut || answer.Status != o.Status || answer.Header.Get("X-Kong-Llm-Model") != model ||
		o.Code != "" && !strings.Contains(answer.Body, `"`+o.Code+`"`) {
		return fmt.Sprintf("got %d, %s, %v, %.200s; want %d, %s, %s, cut %v",
			answer.Status, answer.Header.Get("X-Kong-Llm-Model"), answer.Err, answer.Body, o.Status, model, o.Code, o.Cut)
	}
	if r.Stream && o.Status == http.StatusOK && !o.Cut &&
		(strings.Count(answer.Body, "data: {") != events || !strings.HasSuffix(answer.Body, "data: [DONE]\n\n")) {
		return fmt.Sprintf("the stream is not whole: %.2000s", answer.Body)
	}
	return ""
}
