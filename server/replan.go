package server

import (
	"slices"
	"strings"

	"semlb/envoy"
)

// replan makes the request's plan that of the instance: target is tried in the place of the
// attempt's. It returns the headers that this attempt gets with it, and the replan for those
// that follow: nil where the request keeps its plan, because Envoy makes no more attempts
// than that has, or the description would be too long.
func (s *substitution) replan(x *exchange, target *Target) ([]envoy.Header, *envoy.Replan) {
	next := s.next(target, x.clusters())
	set := withWords([]envoy.Header{
		{Name: envoy.HeaderInstance, Value: next.instance},
		{Name: envoy.HeaderPlan, Value: strings.Join(next.targets, ",")},
		idleOf(s.home),
	}, s.request, s.home, next.targets)
	match, fits := s.describe(next)
	if !fits || !envoy.RepeatsAbsent(x.header(envoy.HeaderRetry)) {
		return set, nil
	}
	replan := &envoy.Replan{Set: append(slices.Clip(set), match), Remove: s.set, Policy: s.home.Policy}
	return append(set, replan.Permitted()), replan
}

// next is the plan from the attempt on: after the target come the others that the instance
// would try for the request, but for those that were tried already, and those that the Envoy
// that calls cannot reach: an attempt at one would find that another target has to take its
// place. It makes as many attempts as the instance would.
func (s *substitution) next(target *Target, c envoy.Clusters) plan {
	number := s.plan.number
	targets := append(slices.Clone(s.plan.targets[:number-1]), target.ID())
	for _, id := range s.chosen {
		t := s.home.Targets[id]
		_, reachable := c.For(t.Cluster)
		if t != target && reachable && !s.tried(t, number) && len(targets) < min(s.home.Attempts, number+envoy.MostReplanned) {
			targets = append(targets, id)
		}
	}
	return plan{s.home.ID, targets, number}
}

// describe describes the request with another plan. The headers in which attempt 1 had a
// credential stay named, because a repetition of this attempt may have them still.
func (s *substitution) describe(next plan) (h envoy.Header, fits bool) {
	tried := next.number - 1
	if len(s.targets) < tried {
		return envoy.Header{}, false
	}
	d := description{Match: s.Match, targets: slices.Clone(s.targets[:tried]), set: s.set, shape: string(s.request.Shape)}
	for _, id := range next.targets[tried:] {
		d.targets = append(d.targets, describedAs(s.home.Targets[id]))
	}
	return d.header()
}
