package router

import (
	"slices"
	"sync/atomic"
)

// priority tries the targets of the largest weight first, then those of the next.
// Within a weight the first place rotates (balancer.algorithm: priority).
type priority struct {
	static
	levels []*level
	count  int // of targets
}

// level is the targets of one weight.
type level struct {
	ids  []string
	turn atomic.Uint64
}

func newPriority(b balance) algorithm {
	a := &priority{count: len(b.targets)}
	weight := 0
	for _, t := range sortedByWeight(b.targets) {
		if len(a.levels) == 0 || t.Weight != weight {
			a.levels, weight = append(a.levels, &level{}), t.Weight
		}
		last := a.levels[len(a.levels)-1]
		last.ids = append(last.ids, t.ID)
	}
	return a
}

func (a *priority) order(dst []string, _ Request, n int) []string {
	dst = slices.Grow(dst, min(n, a.count))
	for _, l := range a.levels {
		if n == 0 {
			break
		}
		take := min(n, len(l.ids))
		start := l.turn.Add(1) - 1
		for i := range uint64(take) {
			dst = append(dst, l.ids[(start+i)%uint64(len(l.ids))])
		}
		n -= take
	}
	return dst
}
