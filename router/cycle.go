package router

import "sync"

// cycle is a smooth weighted round robin: each turn every target gains its
// weight, the largest goes first and pays the sum. Over a full round each target
// is first as often as its weight says, evenly spread.
type cycle struct {
	mu      *sync.Mutex
	targets []turn
	total   int
}

type turn struct {
	id     string
	weight int
	credit int
}

func newCycle(targets []Target) cycle {
	c := cycle{mu: new(sync.Mutex)}
	for _, t := range targets {
		c.targets = append(c.targets, turn{id: t.ID, weight: t.Weight})
		c.total += t.Weight
	}
	return c
}

// next is the target whose turn it is.
func (c *cycle) next() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.targets[c.advance()].id
}

// order appends all targets: the one whose turn it is, then those that are
// closest to their own.
func (c *cycle) order(ids []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.advance()
	start := len(ids)
	ids = append(ids, c.targets[first].id)
	taken := make([]bool, len(c.targets))
	taken[first] = true
	for len(ids)-start < len(c.targets) {
		best := -1
		for i, t := range c.targets {
			if !taken[i] && (best < 0 || t.credit > c.targets[best].credit) {
				best = i
			}
		}
		taken[best] = true
		ids = append(ids, c.targets[best].id)
	}
	return ids
}

// advance takes one turn; c.mu is held.
func (c *cycle) advance() int {
	best := 0
	for i := range c.targets {
		t := &c.targets[i]
		t.credit += t.weight
		if t.credit > c.targets[best].credit {
			best = i
		}
	}
	c.targets[best].credit -= c.total
	return best
}
