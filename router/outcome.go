package router

import (
	"math"
	"slices"
	"time"
)

// Result is how an attempt at a target ended. The set is closed: it is a label of
// metrics.
type Result string

// The results. The first three are the plugin's failover criteria of those names.
const (
	// Failed: connecting, sending or reading the head of the answer failed, or it is not
	// known whether the answer was malformed or broke off.
	Failed Result = "error"
	// TimedOut: one of the three timeouts passed.
	TimedOut Result = "timeout"
	// Invalid: the answer was malformed.
	Invalid Result = "invalid_header"
	// Answered: the head of an answer arrived; the status says which.
	Answered Result = "answered"
	// Abandoned: the client left before there was an answer.
	Abandoned Result = "abandoned"
	// Stale: the connection, which an earlier request had used, ended before the answer
	// began. The attempt is made once more.
	Stale Result = "stale"
	// Unsent: nothing was sent, for a reason outside the target.
	Unsent Result = "unsent"
)

// Results lists every result.
func Results() []Result {
	return []Result{Failed, TimedOut, Invalid, Answered, Abandoned, Stale, Unsent}
}

// Outcome is the result of an attempt, as far as it is known.
type Outcome struct {
	// Target is the ID of the target.
	Target string
	// Phase is how far the attempt is.
	Phase  Phase
	Result Result
	// Status is that of the provider's answer; it counts only for Answered.
	Status int
	// RetryAfter is the value of the Retry-After header; 0 for none. It counts only for
	// an answer of 429 or 503.
	RetryAfter time.Duration
	// Probe is the probe of the attempt's plan for this target; 0 for none.
	Probe ProbeToken

	// Start is when the attempt began, Head the time until its answer began, and
	// Duration the whole; 0 if unknown.
	Start          time.Time
	Head, Duration time.Duration
	// PromptTokens, CompletionTokens and Cost are known when Metered.
	PromptTokens, CompletionTokens int
	Cost                           float64
}

// Phase is what is known of an attempt.
type Phase int

// The phases. An attempt reports Ended once; the others only where they are observed.
const (
	// Ended: the attempt has ended, and its outcome is final.
	Ended Phase = iota
	// Started: the answer has begun, and continues. That ends a probe, and nothing else.
	Started
	// Metered: the tokens and the cost of the answer are known. Circuit breakers do not
	// look at it.
	Metered
)

// repeats reports whether o is of the same probe as earlier, with the same result.
func (o Outcome) repeats(earlier Outcome) bool {
	return o.Probe != 0 && o.Probe == earlier.Probe && o.Result == earlier.Result && o.Status == earlier.Status
}

// Breaker configures circuit breakers, with the words of the plugin's balancer.
type Breaker struct {
	// MaxFails is the number of failures that open a circuit breaker; 0 is never.
	MaxFails int
	// FailTimeout is how long it stays open before one request probes the target.
	FailTimeout time.Duration
	// ProbeTimeout is how long a probe without an outcome keeps other plans from
	// probing; less than FailTimeout means FailTimeout.
	ProbeTimeout time.Duration
	// Statuses of answers that count as failures: the http_* criteria. 403 and 404
	// never count.
	Statuses []int
	// MaxRetryAfter bounds the cool-down of a target that answers 429 or 503 with
	// Retry-After; 0 ignores the header.
	MaxRetryAfter time.Duration
}

// verdict is what an outcome means for a circuit breaker.
type verdict int

const (
	neutral verdict = iota // does not count
	success
	failure
)

// judge applies the plugin's table to an outcome: errors, timeouts and malformed
// answers always count, statuses only if listed, 403 and 404 never.
func (b *Breaker) judge(o Outcome) verdict {
	switch o.Result {
	case Failed, TimedOut, Invalid:
		return failure
	case Answered:
		if o.Status != 403 && o.Status != 404 && slices.Contains(b.Statuses, o.Status) {
			return failure
		}
		return success
	default:
		return neutral
	}
}

// longestCoolDown is so far below the largest number that it can be added to a time.
const longestCoolDown = time.Duration(math.MaxInt64 / 2)

// coolDown is the cool-down that an outcome requests for its target.
func (b *Breaker) coolDown(o Outcome) time.Duration {
	if o.Result != Answered || (o.Status != 429 && o.Status != 503) {
		return 0
	}
	return min(o.RetryAfter, b.MaxRetryAfter, longestCoolDown)
}

func (b *Breaker) probeLease() time.Duration { return max(b.ProbeTimeout, b.FailTimeout) }
