package router

import (
	"slices"
	"time"
)

// Result is how an attempt at a target ended. The set is closed: it is a label of
// metrics.
type Result string

// The results. The first three are the plugin's failover criteria of those names.
const (
	// Failed: connecting, sending or reading the head of the answer failed.
	Failed Result = "error"
	// TimedOut: one of the three timeouts passed.
	TimedOut Result = "timeout"
	// Invalid: the answer was empty or malformed.
	Invalid Result = "invalid_header"
	// Answered: the head of an answer arrived; the status says which.
	Answered Result = "answered"
	// Abandoned: the client went away before there was an answer.
	Abandoned Result = "abandoned"
	// Unsent: nothing was sent to the target, for a reason that is not its own.
	Unsent Result = "unsent"
)

// Results lists every result.
func Results() []Result {
	return []Result{Failed, TimedOut, Invalid, Answered, Abandoned, Unsent}
}

// Outcome is what became of an attempt.
type Outcome struct {
	// Target is the ID of the target.
	Target string
	Result Result
	// Status is that of the provider's answer; it counts only for Answered.
	Status int
	// RetryAfter is how long the target asked to be left alone; 0 for not at all. It
	// counts only for an answer of 429 or 503.
	RetryAfter time.Duration
	// Probe is the probe of the attempt's plan for this target; 0 for none.
	Probe ProbeToken
	// UnderWay says that the attempt still goes on: its answer has begun. That ends a
	// probe, and says nothing else; the attempt's end is another outcome.
	UnderWay bool
}

// repeats says whether o is that of the same probe as earlier, and says the same.
func (o Outcome) repeats(earlier Outcome) bool {
	return o.Probe != 0 && o.Probe == earlier.Probe && o.Result == earlier.Result && o.Status == earlier.Status
}

// Breaker says when a target is left out of new plans because it fails.
type Breaker struct {
	// MaxFails is the number of failures that take a target out; 0 is never.
	MaxFails int
	// FailTimeout is how long a target stays out before one request probes it.
	FailTimeout time.Duration
	// ProbeTimeout is how long a probe without an outcome keeps others from being
	// made; less than FailTimeout means FailTimeout.
	ProbeTimeout time.Duration
	// Statuses of answers that count as failures: the http_* criteria. 403 and 404
	// never count.
	Statuses []int
	// MaxRetryAfter bounds how long a target that answers 429 or 503 with
	// Retry-After is left out; 0 ignores the header.
	MaxRetryAfter time.Duration
}

// verdict is what an outcome means for the breaker.
type verdict int

const (
	neutral verdict = iota // says nothing of the target
	good
	bad
)

// judge holds an outcome against the plugin's table: errors, timeouts and malformed
// answers always count, statuses only if listed, 403 and 404 never.
func (b *Breaker) judge(o Outcome) verdict {
	switch o.Result {
	case Failed, TimedOut, Invalid:
		return bad
	case Answered:
		if o.Status != 403 && o.Status != 404 && slices.Contains(b.Statuses, o.Status) {
			return bad
		}
		return good
	default:
		return neutral
	}
}

// hold is how long an outcome asks to leave its target alone.
func (b *Breaker) hold(o Outcome) time.Duration {
	if o.Result != Answered || (o.Status != 429 && o.Status != 503) {
		return 0
	}
	return min(o.RetryAfter, b.MaxRetryAfter)
}

func (b *Breaker) lease() time.Duration { return max(b.ProbeTimeout, b.FailTimeout) }
