// Package record has everything that happens to a request as typed events, and carries
// them from the code that serves requests to the code that shows them: log lines,
// metrics, and later a page and OTLP.
//
// It is a leaf: every package may use its types, and it imports none of this module.
// A [Recorder] never blocks the code that records, and bounds the memory of waiting
// events. Its [Sink]s may be slow.
package record

import "time"

// Event is something that became known about one request, one of *[Decided],
// *[Answered], *[Attempted], *[Observed] and *[Finished]. An event must not be changed
// after it was recorded.
//
// The events of one request may be recorded by different replicas, since Envoy sends
// each gRPC stream to any of them. They have the request ID in common.
type Event interface {
	Kind() Kind
	// size is about how many bytes of memory the event holds on to.
	size() int
}

// Kind is the type of an event. The set is closed.
type Kind int

// The kinds of events, in the order in which a request has them.
const (
	KindDecided Kind = iota
	KindAnswered
	KindAttempted
	KindObserved
	KindFinished
	kinds // how many there are
)

// String is the kind as it appears in metric labels.
func (k Kind) String() string {
	return [kinds]string{"decided", "answered", "attempted", "observed", "finished"}[k]
}

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{KindDecided, KindAnswered, KindAttempted, KindObserved, KindFinished}
}

// Request identifies the request that an event is about.
type Request struct {
	// ID is the value of x-request-id.
	ID string
	// Instance is the ID of the plugin instance that planned the request; "" if none
	// did.
	Instance string
	// Time is when the event happened.
	Time time.Time
}

// Target is a configured target, as events name it.
type Target struct {
	// ID is unique among the targets of an instance, and the same in every replica.
	ID string
	// Provider and Model are the configured names; Model is "" where the request
	// chooses it.
	Provider, Model string
	// Name is how the target is shown to people.
	Name string
	// Metered marks a target whose tokens and cost are read from its answers
	// (log_statistics).
	Metered bool
}

// Candidate is a description and its distance from a prompt.
type Candidate struct {
	Description string  `json:"description"`
	Distance    float64 `json:"distance"`
}

// Stages are the durations of a decision's stages. A stage that was not reached is 0.
type Stages struct {
	// Embed is the time until the prompt had a vector, Search until the distances were
	// known, Order until the targets were in order.
	Embed, Search, Order time.Duration
}

// Decided is a request for which a plan was made, or for which no target was left.
type Decided struct {
	Request
	// Reason is the router's reason for the order of targets.
	Reason string
	// Targets are the IDs of the plan's targets, first to try first, and Models their
	// names. Both are empty where no target may serve the request.
	Targets, Models []string
	// Unavailable are the IDs of targets that were left out because their circuit
	// breakers are open, where that left none.
	Unavailable []string
	// Unfit are the IDs of targets that were left out because the request cannot be written
	// for them, such as where it lacks a value of their templates.
	Unfit []string
	// Probes names the targets whose open circuit breakers the request probes, as the
	// plan carries them; "" for none.
	Probes string
	// Candidates are all descriptions with their distances, nearest first; empty if
	// no distance was measured.
	Candidates []Candidate
	// Threshold is the largest distance that counts as a match; nil for no limit.
	Threshold *float64
	Stages    Stages
	// Impaired marks a decision that could not be made as configured.
	Impaired bool
	// Err is the cause, if the distances could not be measured. It holds no prompt.
	Err error
}

// Answered is a request that semlb answered itself, instead of sending it to a target.
type Answered struct {
	Request
	// Code is the reason, from a closed set; Status is the HTTP status of the answer.
	Code   string
	Status int
	// Cause is whose fault it is.
	Cause Cause
	// Doing and Err are what failed, for ByFault. They contain no prompt and no secret.
	Doing string
	Err   error
}

// Cause is why semlb answered a request itself.
type Cause int

// The causes of an answer.
const (
	// Configured: the configuration requires the answer, such as for a request that no
	// plugin applies to.
	Configured Cause = iota
	// ByClient: the request is at fault.
	ByClient
	// ByLoad: the server sheds load.
	ByLoad
	// ByFault: the server is at fault.
	ByFault
)

// Attempted is an attempt at a target that has ended.
type Attempted struct {
	Request
	Target Target
	// ProviderID is the ID that the provider gave the attempt (its x-request-id); "" for none.
	ProviderID string
	// Number counts the attempts of a request from 1.
	Number int
	// Result is how the attempt ended, from the router's closed set.
	Result string
	// Status is that of the provider's answer; 0 if there was none.
	Status int
	// Cut marks an answer that broke off after its head had arrived.
	Cut bool
	// Cluster is the one that Envoy chose, Flags are Envoy's response flags, and
	// Transport is the kind of failure to connect; each "" for none.
	Cluster, Flags, Transport string
	// RetryAfter is the value of the provider's Retry-After header; 0 for none.
	RetryAfter time.Duration
	// Probe marks an attempt that decides about an open circuit breaker.
	Probe bool
	// Start is when the attempt began, Head the time until its answer began, and
	// Duration the whole.
	Start          time.Time
	Head, Duration time.Duration
}

// Observed is an answer whose tokens, cost or payload were read while it passed.
type Observed struct {
	Request
	Target Target
	// Usage is nil where statistics are off or the answer has no usage.
	Usage *Usage
	// Payload is nil where the target does not log payloads.
	Payload *Payload
	// Stream marks an answer of server-sent events.
	Stream bool
	// Unread is why an encoded answer could not be read to its end, from a closed set; ""
	// if it was. Usage and Payload are then of what could be read, if anything.
	Unread string
	// Latency is the time from the arrival of the attempt's copy, which Envoy sends when
	// the attempt begins, to the end of the answer's copy. FirstByte is that to the first
	// byte of the answer; 0 if there was none.
	Latency, FirstByte time.Duration
}

// Usage is what an answer consumed.
type Usage struct {
	// Model is the model that the answer names.
	Model                     string
	Prompt, Completion, Total int
	// Estimated marks numbers that the provider did not send.
	Estimated bool
	// Cost is in the currency of the target's prices; Priced reports whether it has any.
	Cost   float64
	Priced bool
}

// Payload is a request and its answer. It is the only place of an event with text of
// users, and secrets in it are masked.
type Payload struct {
	Request, Response string
	// Cut marks bodies that are longer than what is kept of them.
	Cut bool
}

// Finished is a planned request whose answer has ended, or one that Envoy answered
// itself.
type Finished struct {
	Request
	// ProviderID is that of the attempt that answered; "" for none.
	ProviderID string
	Status     int
	// Tries is how many attempts were made. Attempts are their targets, in order, as far
	// as they are still configured.
	Tries    int
	Attempts []Attempt
	// Last is the target of the last attempt, if it logs statistics; else nil.
	Last *Target
	// EnvoyCode is the reason of an answer that Envoy made itself before any attempt,
	// from a closed set; "" for none.
	EnvoyCode string
	// ClientGone marks a client that left before the end, Cut an answer that broke off
	// after it had begun, and Stream an answer of server-sent events.
	ClientGone, Cut, Stream bool
	// Duration is the whole, Upstream the time from the first byte sent to the last
	// byte received.
	Duration, Upstream time.Duration
}

// Attempt is a target of a finished request, in the words of the plugin's log
// serializer (ai.proxy.tried_targets).
type Attempt struct {
	Provider  string `json:"provider"`
	Model     string `json:"model"`
	RouteType string `json:"route_type"`
	Scheme    string `json:"upstream_scheme"`
	Host      string `json:"host"`
	Port      int    `json:"port"`
}

// Kind implements [Event].
func (*Decided) Kind() Kind { return KindDecided }

// Kind implements [Event].
func (*Answered) Kind() Kind { return KindAnswered }

// Kind implements [Event].
func (*Attempted) Kind() Kind { return KindAttempted }

// Kind implements [Event].
func (*Observed) Kind() Kind { return KindObserved }

// Kind implements [Event].
func (*Finished) Kind() Kind { return KindFinished }

// smallEvent is about what an event without lists holds.
const smallEvent = 512

func (e *Decided) size() int {
	return smallEvent + 64*(len(e.Targets)+len(e.Models)+len(e.Unavailable)+len(e.Unfit)+len(e.Candidates)) + len(e.Probes)
}

func (*Answered) size() int  { return smallEvent }
func (*Attempted) size() int { return smallEvent }

func (e *Observed) size() int {
	if e.Payload == nil {
		return smallEvent
	}
	return smallEvent + len(e.Payload.Request) + len(e.Payload.Response)
}

func (e *Finished) size() int { return smallEvent + 128*len(e.Attempts) }
