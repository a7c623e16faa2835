package server

import (
	"slices"
	"strconv"
)

// substitute is a target that takes the place of one that this replica does not have.
type substitute struct {
	*Target
	how  string
	rank rank
}

// rank orders substitutes, best first.
type rank int

const (
	// rankSame is the target itself, with other options, weight or credentials.
	rankSame rank = iota
	// rankPlace is what has its place in the configuration.
	rankPlace
	// rankOther is any other that the plan has not.
	rankOther
	// rankOutside is one that the router would not have chosen, such as one of another
	// group, or with an open circuit breaker.
	rankOutside
	// rankLater is one that a later attempt is for.
	rankLater
	// rankTaken is one that most likely took the place of an earlier attempt's target.
	rankTaken
	// rankTried is one that an earlier attempt was for: then the client gets the answer of a
	// provider.
	rankTried
)

// how is the label of a rank.
func (r rank) how() string {
	switch r {
	case rankSame:
		return substitutedSame
	case rankTried:
		return substitutedTried
	default:
		return substitutedOther
	}
}

// substitutes are the targets of an instance for an attempt of a plan that another
// configuration made, best first, so that no target is tried twice while there is another
// one. chosen are the targets that the instance's own router would plan.
func (d *description) substitutes(home *Instance, number int, chosen []string, shape string) []substitute {
	var all []substitute
	for id, t := range home.Targets {
		if t.RouteType == shape {
			r := d.rank(t, number, slices.Contains(chosen, id))
			all = append(all, substitute{t, r.how(), r})
		}
	}
	slices.SortFunc(all, func(a, b substitute) int {
		if a.rank != b.rank {
			return int(a.rank - b.rank)
		}
		return a.Place - b.Place // attempts of one request find the same order
	})
	return all
}

func (d *description) rank(t *Target, number int, chosen bool) rank {
	place := slices.IndexFunc(d.targets, func(p described) bool { return p.identity == t.Identity })
	samePlace := slices.IndexFunc(d.targets, func(p described) bool { return p.place == strconv.Itoa(t.Place) })
	switch attempt := number - 1; {
	case place == attempt:
		return rankSame
	case place > attempt:
		return rankLater
	case place >= 0:
		return rankTried
	case samePlace >= 0 && samePlace < attempt:
		return rankTaken
	case !chosen:
		return rankOutside
	case samePlace == attempt:
		return rankPlace
	default:
		return rankOther
	}
}
