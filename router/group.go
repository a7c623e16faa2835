package router

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync/atomic"
)

// targetGroup is the targets of one description.
type targetGroup struct {
	description string
	ids         []string // by weight descending, ties by configuration order
	weight      int      // of all together
	cycle       cycle
}

// order appends the group's targets to ids: the heaviest first, or, if weighted,
// the one whose turn it is and then the rest by descending weight.
func (g *targetGroup) order(weighted bool, ids []string) []string {
	if !weighted || len(g.ids) == 1 {
		return append(ids, g.ids...)
	}
	turn := g.cycle.next()
	ids = append(ids, turn)
	for _, id := range g.ids {
		if id != turn {
			ids = append(ids, id)
		}
	}
	return ids
}

// groups is the targets of a router by description.
type groups struct {
	described []*targetGroup // in configuration order, without CATCHALL
	catchall  *targetGroup   // nil if there is none
	fallback  *targetGroup   // what serves when distances cannot be had
	byID      map[string]*targetGroup
	levels    []level // by weight descending, for Priority
}

// level is the targets of one weight.
type level struct {
	ids  []string
	turn *atomic.Uint64
}

func group(targets []Target) groups {
	g := groups{byID: make(map[string]*targetGroup)}
	members := make(map[string][]Target)
	for _, t := range targets {
		if members[t.Description] == nil {
			tg := &targetGroup{description: t.Description}
			if t.Description == Catchall {
				g.catchall = tg
			} else {
				g.described = append(g.described, tg)
				g.byID[RecordID(t.Description)] = tg
			}
		}
		members[t.Description] = append(members[t.Description], t)
	}
	for _, tg := range g.described {
		tg.fill(members[tg.description])
	}
	if g.catchall != nil {
		g.catchall.fill(members[Catchall])
	}
	g.fallback = g.defaultGroup()
	g.levels = levels(targets)
	return g
}

func (g *targetGroup) fill(targets []Target) {
	byWeight := slices.Clone(targets)
	slices.SortStableFunc(byWeight, func(a, b Target) int { return cmp.Compare(b.Weight, a.Weight) })
	for _, t := range byWeight {
		g.ids = append(g.ids, t.ID)
		g.weight += t.Weight
	}
	g.cycle = newCycle(byWeight)
}

// defaultGroup is CATCHALL, else the group of the largest total weight, ties by
// configuration order.
func (g *groups) defaultGroup() *targetGroup {
	if g.catchall != nil {
		return g.catchall
	}
	return slices.MaxFunc(g.described, func(a, b *targetGroup) int {
		return cmp.Compare(a.weight, b.weight) // MaxFunc keeps the first of equals
	})
}

func levels(targets []Target) []level {
	byWeight := slices.Clone(targets)
	slices.SortStableFunc(byWeight, func(a, b Target) int { return cmp.Compare(b.Weight, a.Weight) })
	var out []level
	for i, t := range byWeight {
		if i == 0 || t.Weight != byWeight[i-1].Weight {
			out = append(out, level{turn: new(atomic.Uint64)})
		}
		last := &out[len(out)-1]
		last.ids = append(last.ids, t.ID)
	}
	return out
}

// byPriority is every target, the heaviest level first; within a level the first
// place goes round.
func (g *groups) byPriority() []string {
	var ids []string
	for _, l := range g.levels {
		start := int((l.turn.Add(1) - 1) % uint64(len(l.ids)))
		ids = append(ids, l.ids[start:]...)
		ids = append(ids, l.ids[:start]...)
	}
	return ids
}

// RecordID is the name of a description in a vector store: the same in every
// replica, and free of the text itself.
func RecordID(description string) string {
	sum := sha256.Sum256([]byte(description))
	return hex.EncodeToString(sum[:16])
}
