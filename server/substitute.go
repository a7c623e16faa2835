package server

import (
	"context"
	"errors"
	"slices"
	"strconv"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
	"semlb/record"
	"semlb/wire"
)

// errNoSubstitute is the cause of an attempt that no target could take.
var errNoSubstitute = errors.New("find plan: neither its targets nor others for the request are configured")

// substitution is an attempt of a plan that another configuration made, as this one can make
// it.
type substitution struct {
	*description
	plan    plan
	home    *Instance // serves the request in this configuration
	request *provider.Request
	client  provider.Client
	chosen  []string // IDs of the targets that home would plan
}

// substitute makes an attempt of a plan that another configuration made. It is for a target
// of the instance that serves the request in this one, with the credential of that target,
// as if the request had been planned here.
func (r *rewriter) substitute(ctx context.Context, x *exchange, s *Snapshot, p plan) *extprocv3.ProcessingResponse {
	sub, ok := r.substitution(ctx, x, s, p)
	if !ok {
		return r.unavailable(x, p)
	}
	for _, t := range sub.substitutes(sub.home, p.number, sub.chosen, string(sub.request.Shape)) {
		cluster, reachable := x.clusters().For(t.Cluster)
		if !reachable {
			continue
		}
		rewrite, err := t.Rewrite(sub.request, sub.client)
		if err != nil {
			continue // such as a template, which needs more than is left of the request
		}
		r.metrics.substitutes.WithLabelValues(t.how).Inc()
		set, replan := sub.replan(x, t.Target)
		response := r.rewritten(x, place{sub.home, t.Target, cluster}, rewrite, set)
		if replan == nil {
			return response
		}
		return envoy.WithReplan(response, *replan)
	}
	return r.unavailable(x, p)
}

// substitution finds the instance that serves the request of an attempt; ok is false where
// there is none, or the request cannot be read any more.
func (r *rewriter) substitution(ctx context.Context, x *exchange, s *Snapshot, p plan) (sub *substitution, ok bool) {
	d, ok := readDescription(x)
	if !ok {
		return nil, false
	}
	home := s.Find(d.Match)
	if home == nil {
		return nil, false
	}
	x.verdict.Spent = d.set // attempt 1's credentials: whatever this instance calls its own, they go to no other target
	request, client, err := readAttempt(x)
	if err != nil {
		return nil, false
	}
	sub = &substitution{description: &d, plan: p, home: home, request: request, client: client}
	sub.choose(ctx, x, r.panics)
	return sub, true
}

// choose finds the targets that the instance would plan for the request, of those that can
// be tried now.
func (s *substitution) choose(ctx context.Context, x *exchange, p panics) {
	plan, panicked := route(ctx, s.home.Router, routed(x, s.request, s.home, s.Match))
	if panicked != nil {
		p.record(ctx, x.id, panicked)
	}
	var probed []string
	for _, probe := range plan.Probes { // the attempts are none of this plan's
		s.home.Router.ReleaseProbe(probe)
		probed = append(probed, probe.Target)
	}
	var last []string
	for _, id := range plan.Targets {
		switch {
		case s.home.Targets[id].Fits(s.request, s.client) != nil:
		case slices.Contains(probed, id): // half-open, and without the probe
			last = append(last, id)
		default:
			s.chosen = append(s.chosen, id)
		}
	}
	s.chosen = append(s.chosen, last...)
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
