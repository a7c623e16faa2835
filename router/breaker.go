package router

import (
	"cmp"
	"time"
)

// report learns from an outcome. The plugin's rules:
//
//   - MaxFails failures take the target out. The count is cumulative: a success
//     resets it only later than FailTimeout after the last failure.
//   - After FailTimeout one request probes: a failure keeps the target out for
//     another FailTimeout, a success brings it back.
//   - So does an attempt of a plan that had the target behind another one, once it was
//     due: whichever ends first decides.
//   - What else ends while the target is out was sent before: it neither prolongs nor
//     ends that.
//
// An attempt counts once: what was learned from a probe under way is not learned
// again from its end.
func (c *condition) report(r *rule, o Outcome) {
	now := c.health.clock()
	c.mu.Lock()
	change, changed := c.learn(r, o, now)
	c.mu.Unlock()
	if changed {
		c.health.notice(change)
	}
}

// learn is report's part under the lock.
func (c *condition) learn(r *rule, o Outcome, now int64) (Change, bool) {
	if o.repeats(c.early) || o.UnderWay && !c.awaits(o.Probe) {
		return Change{}, false
	}
	if o.UnderWay {
		c.early = o
	}
	if d := r.hold(o); d > 0 {
		c.heldUntil.Store(max(c.heldUntil.Load(), now+int64(d)))
		r.tell(c, Event{Kind: EventHold, For: d})
	}
	if r.MaxFails == 0 {
		return Change{}, false
	}
	switch r.judge(o) {
	case bad:
		return c.fail(r, now, o.Probe)
	case good:
		return c.succeed(r, now, o.Probe)
	default:
		c.release(r, o.Probe)
		return Change{}, false
	}
}

func (c *condition) succeed(r *rule, now int64, token ProbeToken) (Change, bool) {
	switch out := c.outUntil.Load() != 0; {
	case c.awaits(token):
		c.comeBack()
		r.tell(c, Event{Kind: EventBack})
		return Change{Target: c.id}, true
	case !out && c.fails > 0 && now-c.lastFail > int64(r.FailTimeout):
		c.fails = 0
		r.tell(c, Event{Kind: EventReset})
	}
	return Change{}, false
}

func (c *condition) fail(r *rule, now int64, token ProbeToken) (Change, bool) {
	c.lastFail = now
	switch out := c.outUntil.Load() != 0; {
	case out && !c.awaits(token):
		return Change{}, false
	case !out:
		c.fails++
		if c.fails < r.MaxFails {
			r.tell(c, Event{Kind: EventFail})
			return Change{}, false
		}
	}
	c.goOut(now+int64(r.FailTimeout), newProbeToken())
	r.tell(c, Event{Kind: EventOut, For: r.FailTimeout, Token: c.period})
	return Change{Target: c.id, Out: true, For: r.FailTimeout}, true
}

// unreached gives back a probe that was not made, so that the next plan can make it.
func (c *condition) unreached(r *rule, token ProbeToken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release(r, token)
}

// release ends the probe with a token, if it is under way, without an outcome; c.mu
// is held.
func (c *condition) release(r *rule, token ProbeToken) {
	if !c.leases(token) {
		return
	}
	c.endProbe()
	r.tell(c, Event{Kind: EventRelease, Token: token})
}

// apply takes over an event of another replica.
func (c *condition) apply(r *rule, e Event) {
	now := c.health.clock()
	c.mu.Lock()
	change, changed := c.follow(r, e, now)
	c.mu.Unlock()
	if changed {
		c.health.notice(change)
	}
}

// follow is apply's part under the lock.
func (c *condition) follow(r *rule, e Event, now int64) (Change, bool) {
	left := e.For - e.Age
	left = min(left, r.longest(e.Kind)) // other replicas may have other limits
	if e.Kind == EventHold {
		if left > 0 {
			c.heldUntil.Store(max(c.heldUntil.Load(), now+int64(left)))
		}
		return Change{}, false
	}
	// Whoever does not go by an event leaves it to the router of the next reload,
	// whose reader begins with the history.
	if r.MaxFails == 0 || !e.At.After(c.followed) {
		return Change{}, false
	}
	c.followed = e.At
	out := c.outUntil.Load() != 0
	switch e.Kind {
	case EventFail:
		if out {
			break
		}
		c.lastFail = now - int64(e.Age)
		if c.fails++; c.fails >= r.MaxFails {
			c.goOut(now+int64(r.FailTimeout), newProbeToken())
			return Change{Target: c.id, Out: true, For: r.FailTimeout}, true
		}
	case EventReset:
		c.fails = 0
	case EventOut:
		c.lastFail = now - int64(e.Age)
		c.goOut(max(now+int64(left), 1), cmp.Or(e.Token, newProbeToken())) // earlier versions send none
		return Change{Target: c.id, Out: true, For: left}, !out
	case EventBack:
		c.comeBack()
		return Change{Target: c.id}, out
	case EventProbe:
		if out && left > 0 {
			c.beginProbe(e.Token, now+int64(left))
		}
	case EventRelease:
		if c.leases(e.Token) {
			c.endProbe()
		}
	}
	return Change{}, false
}

// longest bounds the time of another replica's event.
func (b *Breaker) longest(k EventKind) time.Duration {
	switch k {
	case EventHold:
		return b.MaxRetryAfter
	case EventProbe:
		return b.lease()
	default:
		return b.FailTimeout
	}
}
