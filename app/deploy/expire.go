package deploy

import (
	"context"
	"maps"
	"slices"
	"time"

	"semlb/record"
)

const (
	// expireEvery is the interval at which Expire looks at what was replaced.
	expireEvery = 5 * time.Second
	// maxReplaced bounds the goroutines and connections of many reloads in a short
	// time. Decisions that still use one that is ended go to the default group.
	maxReplaced = 256
)

// retire keeps what requests in flight need of a deployment that was replaced.
func (m *Manager) retire(old *deployment) {
	old.Unfollow()
	old.replacedAt = time.Now()
	m.replaced = append(m.replaced, old)
	if len(m.replaced) > maxReplaced {
		m.replaced[0].end(m.log)
		m.replaced = m.replaced[1:]
	}
	m.retired.add(old.Instances, m.current.Instances, old.replacedAt)
	if n := m.retired.trim(); n > 0 {
		m.log.Warn("too many reloads: dropped instances that in-flight requests may still retry on", "instances", n)
	}
}

// Expire ends what was replaced, when its time is over, until ctx ends.
func (m *Manager) Expire(ctx context.Context) error {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := m.expire(ctx, time.Now()); err != nil {
			m.log.Error("expire replaced configurations", "error", err)
		}
	}
}

// expire ends the deployments that make no more decisions, and drops the retired
// instances that no request can need at a time.
func (m *Manager) expire(ctx context.Context, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	deciding := func(d *deployment) bool {
		return !d.replacedAt.Add(m.options.DecisionBudget + expireEvery).Before(now)
	}
	n := 0
	for n < len(m.replaced) && !deciding(m.replaced[n]) {
		m.replaced[n].end(m.log)
		n++
	}
	m.replaced = slices.Clone(m.replaced[n:])
	if m.retired.expire(now) == 0 {
		return nil
	}
	m.options.Snapshot.Store(m.newSnapshot())
	m.forgetTargets()
	return m.sendResources(ctx, m.current)
}

// forgetTargets removes the state of targets that requests cannot reach any more.
func (m *Manager) forgetTargets() {
	reachable := m.options.Snapshot.Targets()
	var configured, retired []record.Target
	if m.current != nil {
		for _, i := range m.current.List {
			for id, t := range i.Server.Targets {
				configured = append(configured, t.Recorded())
				delete(reachable, id)
			}
		}
	}
	for _, t := range reachable {
		retired = append(retired, t.Recorded())
	}
	m.options.Counters.SetTargets(configured, retired)
	m.options.Circuits.Keep(slices.Collect(maps.Keys(m.options.Snapshot.Targets()))...)
}
