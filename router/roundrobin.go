package router

import "slices"

// roundRobin gives every target its share of first places. An attempt that fails moves
// on to the targets whose turns are next (balancer.algorithm: round-robin).
type roundRobin struct {
	static
	turns turns
	ids   []string // by descending weight
}

func newRoundRobin(b balance) algorithm {
	return &roundRobin{turns: newTurns(b.targets), ids: idsByWeight(b.targets)}
}

func (a *roundRobin) order(dst []string, _ Request, n int) []string {
	start := len(dst)
	dst = a.turns.upcoming(slices.Grow(dst, min(n, len(a.ids))), n)
	return appendOthers(dst, a.ids, start, n)
}
