package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
	"semlb/record"
	"semlb/wire"
)

// errNoSubstitute is the cause of an attempt that no target could take.
var errNoSubstitute = errors.New("find plan: neither its targets nor others for the request are configured")

// substitute makes an attempt of a plan that another configuration made. It is for a target
// of the instance that serves the request in this one, with the credential of that target,
// as if the request had been planned here.
func (r *rewriter) substitute(ctx context.Context, x *exchange, s *Snapshot, p plan) *extprocv3.ProcessingResponse {
	d, ok := readDescription(x)
	if !ok {
		return r.unavailable(x, p)
	}
	home := s.Find(d.Match)
	if home == nil {
		return r.unavailable(x, p)
	}
	x.verdict.Spent = d.set // attempt 1's credentials: whatever this instance calls its own, they go to no other target
	request, client, err := readAttempt(x)
	if err != nil {
		return r.unavailable(x, p)
	}
	chosen := r.choose(ctx, x, request, home, d.Match)
	for _, sub := range d.substitutes(home, p.number, chosen, string(request.Shape)) {
		cluster, reachable := x.clusters().For(sub.Cluster)
		if !reachable {
			continue
		}
		rewrite, err := sub.Rewrite(request, client)
		if err != nil {
			continue // such as a template, which needs more than is left of the request
		}
		r.metrics.substitutes.WithLabelValues(sub.how).Inc()
		return r.rewritten(x, place{home, sub.Target, cluster}, rewrite, p.replaced(home, sub.ID()))
	}
	return r.unavailable(x, p)
}

// choose returns the targets that an instance would plan for a request, of those that can
// be tried now.
func (r *rewriter) choose(ctx context.Context, x *exchange, request *provider.Request, home *Instance, m Match) []string {
	plan, panicked := route(ctx, home.Router, routed(x, request, home, m))
	if panicked != nil {
		r.panics.record(ctx, x.id, panicked)
	}
	for _, probe := range plan.Probes { // the attempt is none of this plan's
		home.Router.ReleaseProbe(probe)
	}
	return plan.Targets
}

// replaced are the headers that say what an attempt is for: an instance's target in the
// place of the one of the plan.
func (p plan) replaced(home *Instance, id string) []envoy.Header {
	targets := slices.Clone(p.targets)
	targets[p.number-1] = id
	return []envoy.Header{
		{Name: envoy.HeaderInstance, Value: home.ID},
		{Name: envoy.HeaderPlan, Value: strings.Join(targets, ",")},
		idleOf(home),
	}
}

// idleOf is the header that bounds an attempt's silence.
func idleOf(i *Instance) envoy.Header {
	return envoy.Header{Name: envoy.HeaderIdle, Value: strconv.FormatInt(i.Idle.Milliseconds(), 10)}
}

// unavailable answers an attempt for which there is no target, as Envoy answers one whose
// provider it cannot reach. The next attempt, if there is one, is made.
func (r *rewriter) unavailable(x *exchange, p plan) *extprocv3.ProcessingResponse {
	r.metrics.substitutes.WithLabelValues(substitutedNone).Inc()
	f := envoy.UpstreamUnavailable()
	event := record.Answered{
		Request: record.Request{Instance: p.instance},
		Status:  int(f.Status), Code: f.Code, Cause: record.ByFault, Doing: "attempt", Err: errNoSubstitute,
	}
	return r.answer(x, wire.ErrorBody(f.Message, f.Type, f.Code), event)
}
