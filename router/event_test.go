package router

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A reload turned the breaker on. What a router without one read is still new to the
// one that has it: both know the same targets.
func TestARouterWithoutABreakerLeavesEventsToOthers(t *testing.T) {
	b := newRig(t, func(o *Options) { o.Breaker.MaxFails = 0 })
	replaced, now := b.Router, b.router(nil)
	out := Event{Kind: EventOpened, Target: "a", For: failTimeout, At: Position{Time: 1}}
	hold := Event{Kind: EventCoolDown, Target: "a", For: time.Second, At: Position{Time: 2}}
	for _, r := range []*Router{replaced, now} {
		r.Apply(out)
		r.Apply(hold)
	}
	b.Router = now
	b.clock.advance(time.Second)
	require.Equal(t, "b", b.plan())
}

func TestAnEventIsAppliedOnce(t *testing.T) {
	b := newRig(t, nil)
	e := Event{Kind: EventFailure, Target: "a", At: Position{Time: 1}}
	for range 3 {
		b.Apply(e)
	}
	require.Equal(t, "ab", b.plan())
	for i := range uint64(2) {
		e.At.Sequence = i + 1
		b.Apply(e)
	}
	require.Equal(t, "b", b.plan())
}
