package traffic

import (
	"net/http"
	"slices"
	"time"

	"semlb/test/harness"
)

// Outcome is one way in which an attempt at a target ends, with the failover criteria of
// [harness.SeedCriteria].
type Outcome struct {
	// Weight is how often it occurs, relative to the others.
	Weight    int
	Behaviour harness.Behaviour
	// Moves reports that the next target is tried.
	Moves bool
	// Status, and Code of the error unless it is "", are what the client gets if this is the
	// last attempt.
	Status int
	Code   string
	// CodeHTTP2 takes the place of Code at a target that speaks HTTP/2, where everything
	// that breaks a connection is a reset of the stream.
	CodeHTTP2 string
	// Unread is true if the target may not have read the whole body.
	Unread bool
	// Ends is true if the target closes the connection without a byte of an answer. If
	// the connection had an attempt before, this one is made once more.
	Ends bool
	// Cut is true if the answer breaks off in its body.
	Cut bool
}

const (
	events   = 8 // of a stream
	eventGap = 30 * time.Millisecond
)

// outcomes are all of them, the most frequent one first.
var outcomes = append([]Outcome{
	{Weight: 45, Behaviour: harness.OK(), Status: http.StatusOK},
	{Weight: 4, Behaviour: harness.Slow(80*time.Millisecond, harness.Pieces(4, 10*time.Millisecond)), Status: http.StatusOK},
	{Weight: 4, Behaviour: harness.CutBody(), Status: http.StatusOK, Cut: true},
	{Weight: 12, Behaviour: harness.Status(429), Moves: true, Status: 429},
	{Weight: 8, Behaviour: harness.Status(503), Moves: true, Status: 503},
	{Weight: 6, Behaviour: harness.Reset(), Moves: true, Status: 502, Code: "upstream_reset", Ends: true},
	{Weight: 5, Behaviour: harness.ResetEarly(), Moves: true, Status: 502, Code: "upstream_reset", Unread: true, Ends: true},
	{Weight: 5, Behaviour: harness.Close(), Moves: true, Status: 502, Code: "upstream_reset", Ends: true},
	{Weight: 4, Behaviour: harness.CutHead(), Moves: true, Status: 502, Code: "upstream_invalid_response", CodeHTTP2: "upstream_reset"},
	{Weight: 3, Behaviour: harness.Garbage(), Moves: true, Status: 502, Code: "upstream_invalid_response", CodeHTTP2: "upstream_reset"},
	{Weight: 3, Behaviour: harness.BadHeader(), Moves: true, Status: 502, Code: "upstream_invalid_response", CodeHTTP2: "upstream_reset"},
	{Weight: 1, Behaviour: harness.Hang(), Moves: true, Status: 504, Code: "upstream_timeout"},
}, unlisted(400, 401, 404, 408, 500, 502, 504)...)

// unlisted are statuses that are no criterion.
func unlisted(statuses ...int) []Outcome {
	all := make([]Outcome, len(statuses))
	for i, s := range statuses {
		all[i] = Outcome{Weight: 2, Behaviour: harness.Status(s), Status: s}
	}
	return all
}

// drawn is the outcome at a place of the sum of all weights.
func drawn(place int) Outcome {
	for _, o := range outcomes {
		if place -= o.Weight; place < 0 {
			return o
		}
	}
	panic("unreachable")
}

var weights = func() (sum int) {
	for _, o := range outcomes {
		sum += o.Weight
	}
	return sum
}()

// ofStream is the outcome for a request that asks for a stream.
func (o Outcome) ofStream() Outcome {
	switch {
	case o.Cut:
		o.Behaviour = harness.SSECut(events / 2)
	case o.Status == http.StatusOK:
		o.Behaviour = harness.SSE(events, eventGap)
	}
	return o
}

// Refuses is the index of a target's stub if nothing listens at its address.
const Refuses = -1

// Secure is the index of the stub behind TLS, which is spoken to over HTTP/2.
const Secure = 3

// lanes are groups of targets, by the indices of their stubs.
var lanes = [][]int{{0, 1, 2, Secure}, {Secure, Refuses, 1, 0}, {Refuses, 2, Secure}}

// Lanes returns the groups of targets, each by the indices of its stubs, in the order in
// which they are tried.
func Lanes() [][]int { return slices.Clone(lanes) }
