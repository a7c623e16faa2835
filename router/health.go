package router

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Health is what attempts have taught about targets: which are out, and which asked
// to be left alone. It outlives routers: a target that a reload did not change keeps
// its state. It is safe for concurrent use; a plan whose targets are all well costs
// one atomic load for each.
type Health struct {
	now    func() time.Time
	start  time.Time
	notice func(Change)

	mu      sync.Mutex
	targets map[string]*condition
}

// Change is a target that goes out, or comes back.
type Change struct {
	Target string
	// Out says whether it is out from now on.
	Out bool
	// For is how long it is out before it is probed.
	For time.Duration
}

// NewHealth makes an empty one. now is a clock that does not go back, such as
// time.Now; notice is told of every change, by the goroutine that caused it, and may
// be nil.
func NewHealth(now func() time.Time, notice func(Change)) *Health {
	if notice == nil {
		notice = func(Change) {}
	}
	return &Health{now: now, start: now(), notice: notice, targets: make(map[string]*condition)}
}

// of finds or makes the condition of a target.
func (h *Health) of(id string) *condition {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.targets[id]
	if c == nil {
		c = &condition{health: h, id: id}
		h.targets[id] = c
	}
	return c
}

// Keep forgets all targets but those of ids. It is for a reload, after the routers
// in force are made.
func (h *Health) Keep(ids ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.targets, func(id string, _ *condition) bool { return !slices.Contains(ids, id) })
}

// Out are the IDs of the targets that are out, or probed, in no order.
func (h *Health) Out() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for id, c := range h.targets {
		if c.outUntil.Load() != 0 {
			out = append(out, id)
		}
	}
	return out
}

// clock is the time since the start, never 0.
func (h *Health) clock() int64 { return int64(h.now().Sub(h.start)) + 1 }

// condition is the state of one target. Plans read the atomics without the lock;
// whoever writes holds it. Times are of Health.clock; 0 is never. What it means is
// for the rule of the router that asks.
type condition struct {
	health *Health
	id     string

	// outUntil is when a target that is out may be probed.
	outUntil atomic.Int64
	// probedUntil is when a probe without an outcome is given up.
	probedUntil atomic.Int64
	// heldUntil is when a target wants to be asked again.
	heldUntil atomic.Int64

	mu       sync.Mutex
	fails    int
	lastFail int64
	probe    ProbeToken
	// early is the last outcome of a probe that was known before the attempt's end.
	early Outcome
	// followed is the last event of another replica.
	followed Position
}

// rule is what a router holds outcomes against, and whom it tells.
type rule struct {
	Breaker
	share func(Event)
}

func (r *rule) tell(c *condition, e Event) {
	if r.share != nil {
		e.Target = c.id
		r.share(e)
	}
}

// well says whether nothing speaks against the target.
func (c *condition) well() bool { return c.outUntil.Load() == 0 && c.heldUntil.Load() == 0 }

// held says whether the target asked to be left alone.
func (c *condition) held(now int64) bool {
	until := c.heldUntil.Load()
	if until != 0 && now >= until {
		c.heldUntil.CompareAndSwap(until, 0) // well again, and cheap again
	}
	return now < until
}

// open says whether a plan may have the target, if only as a probe.
func (c *condition) open(now int64) bool {
	until := c.outUntil.Load()
	return until == 0 || now >= until && now >= c.probedUntil.Load()
}

// enter takes the target into a plan. The token is 0 unless the plan probes it.
func (c *condition) enter(r *rule, now int64) (ProbeToken, bool) {
	switch {
	case c.outUntil.Load() == 0:
		return 0, true
	case r.MaxFails == 0: // the breaker was turned off by a reload
		c.mu.Lock()
		defer c.mu.Unlock()
		c.comeBack()
		return 0, true
	case !c.open(now):
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch { // someone else may have been quicker
	case c.outUntil.Load() == 0:
		return 0, true
	case !c.open(now):
		return 0, false
	}
	token := newProbeToken()
	c.beginProbe(token, now+int64(r.lease()))
	r.tell(c, Event{Kind: EventProbe, Token: token, For: r.lease()})
	return token, true
}

// beginProbe, endProbe, goOut and comeBack are the transitions; c.mu is held.
func (c *condition) beginProbe(token ProbeToken, until int64) {
	c.probe = token
	c.probedUntil.Store(until)
}

func (c *condition) endProbe() {
	c.probe = 0
	c.probedUntil.Store(0)
}

func (c *condition) goOut(until int64) {
	c.endProbe()
	c.outUntil.Store(until)
}

func (c *condition) comeBack() {
	c.fails = 0
	c.outUntil.Store(0)
	c.endProbe()
}

// probes says whether a token is that of the probe under way; c.mu is held.
func (c *condition) probes(token ProbeToken) bool {
	return token != 0 && token == c.probe && c.outUntil.Load() != 0
}
