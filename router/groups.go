package router

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// group is the targets of one description.
type group struct {
	description string
	weight      int // of all together
	algorithm   algorithm
}

// groups is the targets of a router by description.
type groups struct {
	described []*group // in configuration order, without CATCHALL
	catchall  *group   // nil if there is none
	fallback  *group   // serves when distances cannot be measured
	ofTarget  map[string]*group
}

// newGroups groups targets, each group ordered by the algorithm; "" is ByWeight.
func newGroups(targets []Target, order Algorithm) (groups, error) {
	g := groups{ofTarget: make(map[string]*group, len(targets))}
	var descriptions []string
	members := make(map[string][]Target)
	for _, t := range targets {
		if members[t.Description] == nil {
			descriptions = append(descriptions, t.Description)
		}
		members[t.Description] = append(members[t.Description], t)
	}
	for _, description := range descriptions {
		made, err := newGroup(description, members[description], cmp.Or(order, ByWeight))
		if err != nil {
			return g, err
		}
		for _, t := range members[description] {
			g.ofTarget[t.ID] = made
		}
		if description == Catchall {
			g.catchall = made
		} else {
			g.described = append(g.described, made)
		}
	}
	g.fallback = g.defaultGroup()
	return g, nil
}

func newGroup(description string, targets []Target, order Algorithm) (*group, error) {
	a, err := newAlgorithm(order, balance{targets: targets})
	g := &group{description: description, algorithm: a}
	for _, t := range targets {
		g.weight += t.Weight
	}
	return g, err
}

// defaultGroup is CATCHALL, else the group of the largest total weight, ties by
// configuration order.
func (g *groups) defaultGroup() *group {
	if g.catchall != nil {
		return g.catchall
	}
	return slices.MaxFunc(g.described, func(a, b *group) int {
		return cmp.Compare(a.weight, b.weight) // MaxFunc keeps the first of equals
	})
}

// RecordID is the name of a description in a vector store: the same in every replica,
// and free of the text itself.
func RecordID(description string) string {
	sum := sha256.Sum256([]byte(description))
	return hex.EncodeToString(sum[:16])
}
