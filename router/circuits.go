package router

import (
	"sync"
	"sync/atomic"
	"time"
)

// Circuits keeps the circuit breaker and the cool-down of every target. It outlives
// routers: a target that a reload did not change keeps its state.
// It is safe for concurrent use. While all targets are healthy, a plan costs one
// atomic load.
type Circuits struct {
	now      func() time.Time
	start    time.Time
	onChange func(Transition)
	// troubled counts the circuits that are not healthy. Those that were dropped do
	// not count.
	troubled atomic.Int64

	mu       sync.Mutex
	byTarget map[string]*circuit
}

// Transition is a circuit breaker that opens or closes.
type Transition struct {
	Target string
	// Open reports whether it is open from now on.
	Open bool
	// For is the cool-down until it may be probed.
	For time.Duration
}

// NewCircuits makes an empty one. now is a clock that does not go back, such as
// time.Now. onChange is called on every transition, by the goroutine that caused it;
// it may be nil.
func NewCircuits(now func() time.Time, onChange func(Transition)) *Circuits {
	if onChange == nil {
		onChange = func(Transition) {}
	}
	return &Circuits{now: now, start: now(), onChange: onChange, byTarget: make(map[string]*circuit)}
}

// of finds or makes the circuits of targets, by ID; nil if s is.
func (s *Circuits) of(targets []Target) map[string]*circuit {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := make(map[string]*circuit, len(targets))
	for _, t := range targets {
		c := s.byTarget[t.ID]
		if c == nil {
			c = &circuit{circuits: s, id: t.ID}
			s.byTarget[t.ID] = c
		}
		found[t.ID] = c
	}
	return found
}

// find is the circuit of a target; nil if it has none.
func (s *Circuits) find(target string) *circuit {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byTarget[target]
}

// unhealthy is how many targets a plan may have to leave out, of all routers.
func (s *Circuits) unhealthy() int {
	if s == nil {
		return 0
	}
	return int(s.troubled.Load())
}

// Keep drops the state of all targets but those of ids. Call it after a reload, when
// the routers in force are made.
func (s *Circuits) Keep(ids ...string) {
	kept := make(map[string]bool, len(ids))
	for _, id := range ids {
		kept[id] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.byTarget {
		if !kept[id] {
			delete(s.byTarget, id)
			c.drop()
		}
	}
}

// Targets are the IDs of all targets that have a state, in no order.
func (s *Circuits) Targets() []string { return s.ids(func(*circuit) bool { return true }) }

// Open are the IDs of the targets whose circuit breakers are open or half-open, in no
// order.
func (s *Circuits) Open() []string {
	return s.ids(func(c *circuit) bool { return c.openUntil.Load() != 0 })
}

func (s *Circuits) ids(want func(*circuit) bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id, c := range s.byTarget {
		if want(c) {
			ids = append(ids, id)
		}
	}
	return ids
}

// clock is the time since the start, never 0.
func (s *Circuits) clock() int64 { return int64(s.now().Sub(s.start)) + 1 }
