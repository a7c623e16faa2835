package router

import (
	"sync"
	"sync/atomic"
)

// circuit is the circuit breaker of one target, and its cool-down. Plans read the
// atomics without the lock; writers hold it. Times are those of Circuits.clock; 0 is
// never. Each router passes its own thresholds as its rule.
//
// The circuit breaker is closed while openUntil is 0, open until then, and half-open
// from then on: the plans that probe the target decide about it.
type circuit struct {
	circuits *Circuits
	id       string

	// openUntil is when an open circuit breaker may be probed.
	openUntil atomic.Int64
	// probeUntil is when a probe without an outcome expires.
	probeUntil atomic.Int64
	// coolDownUntil is the end of the cool-down that Retry-After set.
	coolDownUntil atomic.Int64

	mu sync.Mutex
	// dropped reports that the target is no longer configured, so that the circuit does
	// not count as unhealthy.
	dropped  bool
	failures int
	lastFail int64
	// probe is that of the plan which has the target first, while it is probed.
	probe ProbeToken
	// period identifies this period of being open. Plans that have the target as a
	// fallback carry it.
	period ProbeToken
	// early is the last outcome of a probe that was known before its attempt ended.
	early Outcome
	// applied is the position of the last event of another replica.
	applied Position
}

// rule is how a router judges outcomes, and where it publishes changes of state.
type rule struct {
	Breaker
	share func(Event)
}

func (r *rule) publish(c *circuit, e Event) {
	if r.share != nil {
		e.Target = c.id
		r.share(e)
	}
}

// healthy reports whether the circuit breaker is closed and no cool-down is set.
func (c *circuit) healthy() bool { return c.openUntil.Load() == 0 && c.coolDownUntil.Load() == 0 }

// coolingDown reports whether the target is in a cool-down.
func (c *circuit) coolingDown(now int64) bool {
	until := c.coolDownUntil.Load()
	if until != 0 && now >= until {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.coolDownUntil.Load() == until { // plans are cheap again
			c.set(&c.coolDownUntil, 0)
		}
	}
	return now < until
}

// closed reports whether the circuit breaker is closed. One that a reload turned off
// closes.
func (c *circuit) closed(r *rule) bool {
	if c.openUntil.Load() != 0 && r.MaxFails == 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.reset()
	}
	return c.openUntil.Load() == 0
}

// canProbe reports whether the time of an open circuit breaker has elapsed, and
// probing whether a probe is in flight.
func (c *circuit) canProbe(now int64) bool { return now >= c.openUntil.Load() }
func (c *circuit) probing(now int64) bool  { return now < c.probeUntil.Load() }

// acquireProbe takes the target into a plan as its first. If the circuit breaker is
// open, the plan probes it, and no other plan does before the probe has ended. The
// token is 0 if the circuit breaker is closed.
func (c *circuit) acquireProbe(r *rule, now int64) (ProbeToken, bool) {
	if c.closed(r) {
		return 0, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch { // another plan may have been quicker
	case c.openUntil.Load() == 0:
		return 0, true
	case !c.canProbe(now), c.probing(now):
		return 0, false
	}
	token := newProbeToken()
	c.beginProbe(token, now+int64(r.probeLease()))
	r.publish(c, Event{Kind: EventProbe, Token: token, For: r.probeLease()})
	return token, true
}

// acquireFallbackProbe takes the target into a plan behind another one. Whether the
// request reaches it is not known, so it is not kept from other plans: once it may be
// probed, every plan has it, and the first outcome decides. The token is 0 if the
// circuit breaker is closed.
func (c *circuit) acquireFallbackProbe(r *rule, now int64) (ProbeToken, bool) {
	if c.closed(r) {
		return 0, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.period, c.canProbe(now) // reset leaves no period
}

// set changes openUntil or coolDownUntil and keeps count of unhealthy circuits; c.mu
// is held.
func (c *circuit) set(field *atomic.Int64, value int64) {
	before := c.healthy()
	field.Store(value)
	switch after := c.healthy(); {
	case before == after, c.dropped:
	case after:
		c.circuits.troubled.Add(-1)
	default:
		c.circuits.troubled.Add(1)
	}
}

// drop permanently removes the circuit from the count of unhealthy ones.
func (c *circuit) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dropped && !c.healthy() {
		c.circuits.troubled.Add(-1)
	}
	c.dropped = true
}

// beginProbe, endProbe, trip and reset are the transitions; c.mu is held.
func (c *circuit) beginProbe(token ProbeToken, until int64) {
	c.probe = token
	c.probeUntil.Store(until)
}

func (c *circuit) endProbe() {
	c.probe = 0
	c.probeUntil.Store(0)
}

func (c *circuit) trip(until int64, period ProbeToken) {
	c.endProbe()
	c.period = period
	c.set(&c.openUntil, until)
}

func (c *circuit) reset() {
	c.failures = 0
	c.set(&c.openUntil, 0)
	c.endProbe()
	c.period = 0
}

// coolDown extends the cool-down to until; c.mu is held.
func (c *circuit) coolDown(until int64) {
	c.set(&c.coolDownUntil, max(c.coolDownUntil.Load(), until))
}

// holdsProbe reports whether a token is that of the probe in flight; c.mu is held.
func (c *circuit) holdsProbe(token ProbeToken) bool { return token != 0 && token == c.probe }

// decides reports whether the outcome of an attempt with a token decides about an open
// circuit breaker; c.mu is held.
func (c *circuit) decides(token ProbeToken) bool {
	return c.holdsProbe(token) || token != 0 && token == c.period
}
