package router

import "time"

// Event is a change of a target's circuit breaker that a replica publishes to others.
type Event struct {
	Kind   EventKind `json:"kind"`
	Target string    `json:"target"`
	// For is how long the event holds, where it expires.
	For time.Duration `json:"for,omitempty"`
	// Token identifies a probe, or the period of being open that begins.
	Token ProbeToken `json:"token,omitempty"`

	// At and Age are set by the transport between replicas: the event's position among
	// all events, and how long ago it happened.
	At  Position      `json:"-"`
	Age time.Duration `json:"-"`
}

// Position is the place of an event among those that replicas share.
type Position struct{ Time, Sequence uint64 }

// After reports whether p is later than q.
func (p Position) After(q Position) bool {
	return p.Time > q.Time || p.Time == q.Time && p.Sequence > q.Sequence
}

// EventKind is the kind of an event. Its values are what replicas exchange: they stay
// the same across versions.
type EventKind string

// The kinds.
const (
	// EventFailure: an attempt failed, and the circuit breaker stays closed.
	EventFailure EventKind = "fail"
	// EventReset: a late success has set the count of failures to zero.
	EventReset EventKind = "reset"
	// EventOpened: the circuit breaker has opened.
	EventOpened EventKind = "out"
	// EventProbe: a plan probes the target.
	EventProbe EventKind = "probe"
	// EventRelease: the probe was not made.
	EventRelease EventKind = "release"
	// EventClosed: the circuit breaker has closed.
	EventClosed EventKind = "back"
	// EventCoolDown: a cool-down of the target began.
	EventCoolDown EventKind = "hold"
)
