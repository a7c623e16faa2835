package router

import (
	"slices"
	"sync"
	"sync/atomic"
)

// turns is a smooth weighted round robin, the algorithm of nginx: in each turn every
// target gains its weight, the target with the most credit has the turn and pays the
// sum of all weights. Over a full round each target has as many turns as its weight,
// evenly spread.
//
// The turns repeat with the round, so they are computed once, and the cost of a turn does
// not depend on the number of targets. Only if the round is too long to be kept, each
// turn is computed when it is needed.
type turns struct {
	// round is the order of turns, as indexes of ids; nil if it is too long.
	round []uint32
	ids   []string
	at    atomic.Uint64

	mu      sync.Mutex
	credits credits // of rounds that are not kept
}

// credits is the state of the algorithm.
type credits struct {
	weights, credit []int
	total           int
}

const (
	// longestRound bounds the memory of a round, and roundCost the steps to compute it:
	// a millisecond or two when a configuration is loaded.
	longestRound = 1 << 16
	roundCost    = 1 << 22
	// lookAhead is how many turns are searched for the targets that come next.
	lookAhead = 64
)

func newTurns(targets []Target) *turns {
	t := &turns{credits: newCredits(targets)}
	for _, target := range targets {
		t.ids = append(t.ids, target.ID)
	}
	if length := t.credits.total; length <= longestRound && length*len(targets) <= roundCost {
		t.round = make([]uint32, length)
		for i := range t.round {
			t.round[i] = uint32(t.credits.advance())
		}
	}
	return t
}

// newCredits divides the weights by what they have in common, which changes no turn.
func newCredits(targets []Target) credits {
	common := 0
	for _, t := range targets {
		common = gcd(t.Weight, common)
	}
	c := credits{credit: make([]int, len(targets))}
	for _, t := range targets {
		c.weights = append(c.weights, t.Weight/common)
		c.total += t.Weight / common
	}
	return c
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// advance takes one turn and returns whose it is.
func (c *credits) advance() int {
	best := 0
	for i, weight := range c.weights {
		c.credit[i] += weight
		if c.credit[i] > c.credit[best] {
			best = i
		}
	}
	c.credit[best] -= c.total
	return best
}

// next takes one turn and returns the ID of the target whose it is.
func (t *turns) next() string {
	if t.round != nil {
		return t.ids[t.round[t.take()]]
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ids[t.credits.advance()]
}

// take takes one turn of a round that is kept, and returns its place.
func (t *turns) take() uint64 { return (t.at.Add(1) - 1) % uint64(len(t.round)) }

// upcoming takes one turn, and appends the ID of the target whose it is and of those
// whose turns come next, up to n of them and as far as it looks ahead.
func (t *turns) upcoming(dst []string, n int) []string {
	if t.round == nil {
		return append(dst, t.next())
	}
	start, place := len(dst), t.take()
	for range min(lookAhead, len(t.round)) {
		if len(dst)-start == n {
			break
		}
		if id := t.ids[t.round[place]]; !slices.Contains(dst[start:], id) {
			dst = append(dst, id)
		}
		if place++; place == uint64(len(t.round)) {
			place = 0
		}
	}
	return dst
}
