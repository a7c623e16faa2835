package router

import "semlb/record"

// Request is what a plan is made for. Algorithms balance by more than the prompt.
type Request struct {
	// Prompt is the text that is compared with descriptions; "" for none.
	Prompt string
	// HashKey is the value of the header that consistent hashing hashes
	// (balancer.hash_on_header); "" if the request has none.
	HashKey string
	// Size is the length of the request body in bytes, which bounds its tokens.
	Size int
	// Consumer is the name of the consumer that sent the request; "" for an anonymous
	// one.
	Consumer string
	// Needs is what a target has to offer to serve the request.
	Needs Needs
}

// Needs is what a request needs of a target.
type Needs struct {
	// RouteType is the shape of the request, such as llm/v1/chat.
	RouteType string
	// Stream reports that the answer is to be a stream of events.
	Stream bool
}

// Plan is an order of targets and the reason for it.
type Plan struct {
	// Targets are target IDs, first to try first, each at most once. It is empty only
	// for NoMatch and AllOut.
	Targets []string
	Reason  Reason
	// Unavailable are the targets of AllOut.
	Unavailable []string
	// Probes are those of Targets whose circuit breakers are open, and which the
	// request probes. Each ends with a Report of its outcome, or with ReleaseProbe.
	Probes []Probe
	// Candidates are the distances of all descriptions, nearest first; empty if none
	// was measured. The second is the runner-up.
	Candidates []record.Candidate
	// Threshold is the largest distance that counts as a match; nil for no limit.
	Threshold *float64
	// Stages are the durations of the decision's stages.
	Stages record.Stages
	// Err is the cause of Degraded, nil otherwise. It holds no prompt.
	Err error
}

// Nearest is the nearest description, if any distance was measured.
func (p *Plan) Nearest() (record.Candidate, bool) {
	if len(p.Candidates) == 0 {
		return record.Candidate{}, false
	}
	return p.Candidates[0], true
}

// Reason is why a plan has its order. It is a label of metrics: the set is closed.
type Reason string

// The reasons.
const (
	// Matched: the nearest description is within the threshold.
	Matched Reason = "matched"
	// BeyondThreshold: nothing is within the threshold and there is no CATCHALL; the
	// nearest group serves anyway.
	BeyondThreshold Reason = "beyond_threshold"
	// CaughtAll: nothing is within the threshold; CATCHALL serves.
	CaughtAll Reason = "catchall"
	// NoMatch: nothing is within the threshold, and the configuration rejects that.
	NoMatch Reason = "no_match"
	// NoPrompt: the request has no text to compare; the default group serves.
	NoPrompt Reason = "no_prompt"
	// Degraded: the distances could not be measured; the default group serves.
	Degraded Reason = "degraded"
	// Balanced: the algorithm does not use the prompt.
	Balanced Reason = "balanced"
	// AllOut: the circuit breakers of all targets that could serve are open.
	AllOut Reason = "all_out"
)

// Reasons lists every reason, for metrics that start at zero.
func Reasons() []Reason {
	return []Reason{Matched, BeyondThreshold, CaughtAll, NoMatch, NoPrompt, Degraded, Balanced, AllOut}
}
