package router

import (
	"cmp"
	"slices"
)

// byWeight tries the heaviest target first, ties by configuration order
// (balancer.group_order: weight).
type byWeight struct {
	static
	ids []string
}

func newByWeight(b balance) algorithm { return &byWeight{ids: idsByWeight(b.targets)} }

func (a *byWeight) order(dst []string, _ Request, n int) []string {
	return append(dst, a.ids[:min(n, len(a.ids))]...)
}

// weighted starts with a target by its share of the weights, and continues with the
// heaviest of the others (balancer.group_order: weighted).
type weighted struct {
	static
	ids   []string
	turns turns
}

func newWeighted(b balance) algorithm {
	return &weighted{ids: idsByWeight(b.targets), turns: newTurns(sortedByWeight(b.targets))}
}

func (a *weighted) order(dst []string, _ Request, n int) []string {
	start := len(dst)
	dst = append(slices.Grow(dst, min(n, len(a.ids))), a.turns.next())
	return appendOthers(dst, a.ids, start, n)
}

// appendOthers appends those of ids that dst[start:] does not have, until that has n.
func appendOthers(dst, ids []string, start, n int) []string {
	chosen := newSet(dst[start:], min(n, len(ids)))
	for _, id := range ids {
		if len(dst)-start == n {
			break
		}
		if !chosen.has(id) {
			dst = append(dst, id)
		}
	}
	return dst
}

// set is a set of strings: a list if it is short, so that it costs no allocation.
type set struct {
	list []string
	many map[string]bool
}

// longList is from how many lookups on a map is cheaper than a list.
const longList = 32

// newSet makes a set of list that is looked at about lookups times.
func newSet(list []string, lookups int) set {
	s := set{list: list}
	if len(list) > 1 && lookups > longList {
		s.many = make(map[string]bool, len(list))
		for _, id := range list {
			s.many[id] = true
		}
	}
	return s
}

func (s set) has(id string) bool {
	if s.many != nil {
		return s.many[id]
	}
	return slices.Contains(s.list, id)
}

// sortedByWeight are the targets by descending weight, ties by configuration order.
func sortedByWeight(targets []Target) []Target {
	sorted := slices.Clone(targets)
	slices.SortStableFunc(sorted, func(a, b Target) int { return cmp.Compare(b.Weight, a.Weight) })
	return sorted
}

func idsByWeight(targets []Target) []string {
	ids := make([]string, len(targets))
	for i, t := range sortedByWeight(targets) {
		ids[i] = t.ID
	}
	return ids
}
