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

// Targets are the IDs of all targets that it keeps something of, in no order.
func (h *Health) Targets() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(h.targets))
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
	// probe is that of the plan which has the target first, while it is probed.
	probe ProbeToken
	// period names this time of being out. Plans that have the target behind another
	// one carry it.
	period ProbeToken
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

// in says whether the target is in; a breaker that a reload turned off brings it in.
func (c *condition) in(r *rule) bool {
	if c.outUntil.Load() != 0 && r.MaxFails == 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.comeBack()
	}
	return c.outUntil.Load() == 0
}

// due says whether a target that is out may be probed, and probed whether it is.
func (c *condition) due(now int64) bool    { return now >= c.outUntil.Load() }
func (c *condition) probed(now int64) bool { return now < c.probedUntil.Load() }

// lead takes the target into a plan as its first. If it is out, that is its probe,
// and no other plan's before it ends. The token is 0 for a target that is in.
func (c *condition) lead(r *rule, now int64) (ProbeToken, bool) {
	if c.in(r) {
		return 0, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch { // someone else may have been quicker
	case c.outUntil.Load() == 0:
		return 0, true
	case !c.due(now), c.probed(now):
		return 0, false
	}
	token := newProbeToken()
	c.beginProbe(token, now+int64(r.lease()))
	r.tell(c, Event{Kind: EventProbe, Token: token, For: r.lease()})
	return token, true
}

// standBy takes the target into a plan behind another one. Whether its turn comes is
// not known, so nobody else is kept from it: once it is due, every plan has it, and
// the first outcome decides. The token is 0 for a target that is in.
func (c *condition) standBy(r *rule, now int64) (ProbeToken, bool) {
	if c.in(r) {
		return 0, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.period, c.due(now) // comeBack leaves no period
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

func (c *condition) goOut(until int64, period ProbeToken) {
	c.endProbe()
	c.period = period
	c.outUntil.Store(until)
}

func (c *condition) comeBack() {
	c.fails = 0
	c.outUntil.Store(0)
	c.endProbe()
	c.period = 0
}

// leases says whether a token is that of the probe under way; c.mu is held.
func (c *condition) leases(token ProbeToken) bool { return token != 0 && token == c.probe }

// awaits says whether the outcome of an attempt with a token decides about a target
// that is out; c.mu is held.
func (c *condition) awaits(token ProbeToken) bool {
	return c.leases(token) || token != 0 && token == c.period
}
