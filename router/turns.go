package router

import (
	"container/heap"
	"slices"
	"sync"
	"sync/atomic"
)

// turns gives each target as many turns as its weight in every round, evenly spread. A
// turn costs about the same for any number of targets.
type turns interface {
	// next takes one turn and returns the ID of the target whose it is.
	next() string
	// upcoming takes one turn, and appends the ID of the target whose it is and of up to
	// n-1 others whose turns come soon after, each once. It may append fewer.
	upcoming(dst []string, n int) []string
}

const (
	// longestRound bounds the memory of a round.
	longestRound = 1 << 16
	// roundCost bounds the steps of nginx's algorithm to compute one: a millisecond or two
	// when a configuration is loaded.
	roundCost = 1 << 22
	// lookAhead is how many turns of a round are searched for the targets that come next.
	lookAhead = 64
)

// newTurns makes a round, or a schedule if the round would be too long to be kept.
func newTurns(targets []Target) turns {
	ids, weights, length := make([]string, len(targets)), lowestTerms(targets), 0
	for i, t := range targets {
		ids[i] = t.ID
		length += weights[i]
	}
	switch {
	case length > longestRound:
		return newSchedule(ids, weights)
	case length*len(targets) > roundCost:
		return newSchedule(ids, weights).round(length)
	default:
		return newRound(ids, weights, length)
	}
}

// lowestTerms are the weights, divided by what they have in common, which changes no turn.
func lowestTerms(targets []Target) []int {
	common := 0
	for _, t := range targets {
		common = gcd(t.Weight, common)
	}
	weights := make([]int, len(targets))
	for i, t := range targets {
		weights[i] = t.Weight / common
	}
	return weights
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// round is turns that repeat, computed once.
type round struct {
	order []uint32 // indexes of ids
	ids   []string
	at    atomic.Uint64
}

// newRound computes the turns of a smooth weighted round robin, the algorithm of nginx: in
// each turn every target gains its weight as credit, the target with the most credit has
// the turn and pays the sum of all weights.
func newRound(ids []string, weights []int, length int) *round {
	r := &round{order: make([]uint32, length), ids: ids}
	credit := make([]int, len(weights))
	for turn := range r.order {
		best := 0
		for i, weight := range weights {
			credit[i] += weight
			if credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= length
		r.order[turn] = uint32(best)
	}
	return r
}

// take takes one turn and returns its place.
func (r *round) take() uint64 { return (r.at.Add(1) - 1) % uint64(len(r.order)) }

func (r *round) next() string { return r.ids[r.order[r.take()]] }

func (r *round) upcoming(dst []string, n int) []string {
	start, place := len(dst), r.take()
	for range min(lookAhead, len(r.order)) {
		if len(dst)-start == n {
			break
		}
		if id := r.ids[r.order[place]]; !slices.Contains(dst[start:], id) {
			dst = append(dst, id)
		}
		if place++; place == uint64(len(r.order)) {
			place = 0
		}
	}
	return dst
}

// schedule computes each turn when it is needed, as Envoy's weighted balancers do: turn k
// of a target is due at k/weight, and the earliest is next. After a whole round each
// target has had as many turns as its weight.
type schedule struct {
	mu  sync.Mutex
	due dueTurns
	ids []string
}

// dueTurn is the next turn of a target, due at number/weight.
type dueTurn struct{ target, number, weight int }

func newSchedule(ids []string, weights []int) *schedule {
	s := &schedule{ids: ids}
	for i, weight := range weights {
		s.due = append(s.due, dueTurn{target: i, number: 1, weight: weight})
	}
	heap.Init(&s.due)
	return s
}

func (s *schedule) next() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[s.due.advance()]
}

// round is the first turns of a schedule that was not used, as many as repeat.
func (s *schedule) round(length int) *round {
	r := &round{order: make([]uint32, length), ids: s.ids}
	for turn := range r.order {
		r.order[turn] = uint32(s.due.advance())
	}
	return r
}

// upcoming takes the others from the top of the heap, where they are nearly in order.
func (s *schedule) upcoming(dst []string, n int) []string {
	start := len(dst)
	dst = append(dst, s.next())
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, due := range s.due[:min(n, len(s.due))] {
		if id := s.ids[due.target]; len(dst)-start < n && id != dst[start] {
			dst = append(dst, id)
		}
	}
	return dst
}

// dueTurns is a heap of [container/heap], ties by configuration order.
type dueTurns []dueTurn

// advance takes the first turn and returns whose it is, as an index.
func (d *dueTurns) advance() int {
	first := &(*d)[0]
	target := first.target
	first.number++
	heap.Fix(d, 0)
	return target
}

func (d dueTurns) Len() int      { return len(d) }
func (d dueTurns) Swap(i, j int) { d[i], d[j] = d[j], d[i] }

func (d dueTurns) Less(i, j int) bool {
	a, b := d[i].number*d[j].weight, d[j].number*d[i].weight
	return a < b || a == b && d[i].target < d[j].target
}

// Push and Pop are part of the interface of heaps; a schedule neither grows nor shrinks.
func (d *dueTurns) Push(x any) { *d = append(*d, x.(dueTurn)) }

// Pop implements [heap.Interface].
func (d *dueTurns) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}
