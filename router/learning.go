package router

import (
	"cmp"
	"time"
)

// report takes in an outcome. The plugin's rules:
//
//   - MaxFails failures open the circuit breaker. The count is cumulative: a success
//     resets it only later than FailTimeout after the last failure.
//   - After FailTimeout one request probes: a failure keeps the circuit breaker open
//     for another FailTimeout, a success closes it.
//   - So does an attempt of a plan that had the target as a fallback once it could be
//     probed: whichever ends first decides.
//   - Any other attempt that ends while it is open began before: it neither prolongs
//     nor ends that.
//
// An attempt counts once: what its start already taught is not taken in again at its
// end.
func (c *circuit) report(r *rule, o Outcome) {
	now := c.circuits.clock()
	c.mu.Lock()
	transition, changed := c.learn(r, o, now)
	c.mu.Unlock()
	if changed {
		c.circuits.onChange(transition)
	}
}

// learn is report's part under the lock.
func (c *circuit) learn(r *rule, o Outcome, now int64) (Transition, bool) {
	started := o.Phase == Started
	if o.repeats(c.early) || started && !c.decides(o.Probe) {
		return Transition{}, false
	}
	if started {
		c.early = o
	}
	if d := r.coolDown(o); d > 0 {
		c.coolDown(now + int64(d))
		r.publish(c, Event{Kind: EventCoolDown, For: d})
	}
	if r.MaxFails == 0 {
		return Transition{}, false
	}
	switch r.judge(o) {
	case failure:
		return c.fail(r, now, o.Probe)
	case success:
		return c.succeed(r, now, o.Probe)
	default:
		c.release(r, o.Probe)
		return Transition{}, false
	}
}

func (c *circuit) succeed(r *rule, now int64, token ProbeToken) (Transition, bool) {
	switch open := c.openUntil.Load() != 0; {
	case c.decides(token):
		c.reset()
		r.publish(c, Event{Kind: EventClosed})
		return Transition{Target: c.id}, true
	case !open && c.failures > 0 && now-c.lastFail > int64(r.FailTimeout):
		c.failures = 0
		r.publish(c, Event{Kind: EventReset})
	}
	return Transition{}, false
}

func (c *circuit) fail(r *rule, now int64, token ProbeToken) (Transition, bool) {
	c.lastFail = now
	switch open := c.openUntil.Load() != 0; {
	case open && !c.decides(token):
		return Transition{}, false
	case !open:
		c.failures++
		if c.failures < r.MaxFails {
			r.publish(c, Event{Kind: EventFailure})
			return Transition{}, false
		}
	}
	c.trip(now+int64(r.FailTimeout), newProbeToken())
	r.publish(c, Event{Kind: EventOpened, For: r.FailTimeout, Token: c.period})
	return Transition{Target: c.id, Open: true, For: r.FailTimeout}, true
}

// releaseProbe gives back a probe that was not made, so that the next plan can make it.
func (c *circuit) releaseProbe(r *rule, token ProbeToken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release(r, token)
}

// release ends the probe with a token, if it is in flight, without an outcome; c.mu is
// held.
func (c *circuit) release(r *rule, token ProbeToken) {
	if !c.holdsProbe(token) {
		return
	}
	c.endProbe()
	r.publish(c, Event{Kind: EventRelease, Token: token})
}

// apply takes in an event of another replica.
func (c *circuit) apply(r *rule, e Event) {
	now := c.circuits.clock()
	c.mu.Lock()
	transition, changed := c.follow(r, e, now)
	c.mu.Unlock()
	if changed {
		c.circuits.onChange(transition)
	}
}

// follow is apply's part under the lock.
func (c *circuit) follow(r *rule, e Event, now int64) (Transition, bool) {
	left := min(e.For-e.Age, r.longest(e.Kind)) // other replicas may have other limits
	if e.Kind == EventCoolDown {
		if left > 0 {
			c.coolDown(now + int64(left))
		}
		return Transition{}, false
	}
	// An event that this router ignores stays new to the router of the next reload,
	// whose reader begins with the history.
	if r.MaxFails == 0 || !e.At.After(c.applied) {
		return Transition{}, false
	}
	c.applied = e.At
	open := c.openUntil.Load() != 0
	switch e.Kind {
	case EventFailure:
		return c.followFailure(r, e, now)
	case EventReset:
		c.failures = 0
	case EventOpened:
		c.lastFail = now - int64(e.Age)
		c.trip(max(now+int64(left), 1), cmp.Or(e.Token, newProbeToken())) // earlier versions send none
		return Transition{Target: c.id, Open: true, For: left}, !open
	case EventClosed:
		c.reset()
		return Transition{Target: c.id}, open
	case EventProbe:
		if open && left > 0 {
			c.beginProbe(e.Token, now+int64(left))
		}
	case EventRelease:
		if c.holdsProbe(e.Token) {
			c.endProbe()
		}
	}
	return Transition{}, false
}

// followFailure counts a failure that another replica saw.
func (c *circuit) followFailure(r *rule, e Event, now int64) (Transition, bool) {
	if c.openUntil.Load() != 0 {
		return Transition{}, false
	}
	c.lastFail = now - int64(e.Age)
	if c.failures++; c.failures < r.MaxFails {
		return Transition{}, false
	}
	c.trip(now+int64(r.FailTimeout), newProbeToken())
	return Transition{Target: c.id, Open: true, For: r.FailTimeout}, true
}

// longest bounds the time of another replica's event.
func (b *Breaker) longest(k EventKind) time.Duration {
	switch k {
	case EventCoolDown:
		return b.MaxRetryAfter
	case EventProbe:
		return b.probeLease()
	default:
		return b.FailTimeout
	}
}
