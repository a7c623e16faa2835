package router

import "time"

// Event is what one replica tells the others of a target.
type Event struct {
	Kind   EventKind `json:"kind"`
	Target string    `json:"target"`
	// For is how long the event is in force, where it ends by itself.
	For time.Duration `json:"for,omitempty"`
	// Token names a probe, or the time of being out that begins.
	Token ProbeToken `json:"token,omitempty"`

	// At and Age are set by whoever passes an event on to another replica: its place
	// among all events, and how long ago it was.
	At  Position      `json:"-"`
	Age time.Duration `json:"-"`
}

// Position is the place of an event among those that replicas share.
type Position struct{ Time, Sequence uint64 }

// After says whether p is later than q.
func (p Position) After(q Position) bool {
	return p.Time > q.Time || p.Time == q.Time && p.Sequence > q.Sequence
}

// EventKind is the kind of an event.
type EventKind string

// The kinds.
const (
	// EventFail: an attempt failed, and the target stays in.
	EventFail EventKind = "fail"
	// EventReset: a late success has set the count of failures to zero.
	EventReset EventKind = "reset"
	// EventOut: the target is out.
	EventOut EventKind = "out"
	// EventProbe: a plan probes the target.
	EventProbe EventKind = "probe"
	// EventRelease: the probe was not made.
	EventRelease EventKind = "release"
	// EventBack: the target is back.
	EventBack EventKind = "back"
	// EventHold: the target asked to be left alone.
	EventHold EventKind = "hold"
)
