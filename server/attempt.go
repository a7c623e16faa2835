package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
)

// rewriter is the inner role: it rewrites an attempt for its target of the plan that
// the request carries. Any replica can do it.
type rewriter struct {
	responder
	snapshot func() *Snapshot
	metrics  *Metrics
}

// admit leaves an attempt to another replica if this one should not make it.
func (r *rewriter) admit(_ context.Context, x *exchange) (*extprocv3.ProcessingResponse, error) {
	if !x.call.repeats() {
		return nil, nil
	}
	p, err := readPlan(x)
	if err != nil || r.takes(x, p) { // no replica can read a plan that is lost
		return nil, nil
	}
	r.metrics.substitutes.WithLabelValues(substitutedElsewhere).Inc()
	return nil, errElsewhere
}

// takes reports whether this replica can make an attempt as it was planned, or if none can,
// because the Envoy that calls has not the target's cluster, for another target.
func (r *rewriter) takes(x *exchange, p plan) bool {
	if !provider.KnowsOriginals(x.header(envoy.HeaderOriginals)) {
		return false
	}
	s := r.snapshot()
	if _, found := p.planned(s, x); found {
		return true
	}
	d, ok := readDescription(x)
	if !ok || d.mayBeMade(p.number, x.clusters()) {
		return false
	}
	home := s.Find(d.Match)
	return home != nil && d.hasUntried(home, p.number, x.clusters())
}

func (r *rewriter) decide(ctx context.Context, x *exchange) *extprocv3.ProcessingResponse {
	p, err := readPlan(x)
	if err != nil {
		return envoy.Final(r.failed(x, codePlanLost, "attempt", err))
	}
	snapshot := r.snapshot()
	made, found := p.planned(snapshot, x)
	if !found {
		return r.substitute(ctx, x, snapshot, p)
	}
	request, client, err := readAttempt(x)
	if err != nil {
		return envoy.Final(r.failed(x, codeRewriteFailed, "read attempt", err))
	}
	rewrite, err := made.target.Rewrite(request, client)
	if err != nil {
		return envoy.Final(r.refuse(x, err))
	}
	return r.rewritten(x, made, rewrite, nil)
}

// rewritten answers with the request for the target of an attempt.
func (r *rewriter) rewritten(x *exchange, a place, rewrite provider.Rewrite, set []envoy.Header) *extprocv3.ProcessingResponse {
	r.metrics.rewrites.Inc()
	set = append(set, envoy.Header{Name: envoy.HeaderCluster, Value: a.cluster})
	return x.rewritten(envoy.RoleInner, rewrite, withServed(set, a.instance, a.target, rewrite.Model))
}

// plan is the plan that an attempt carries.
type plan struct {
	instance string
	targets  []string // IDs
	number   int      // of the attempt, from 1
}

// readPlan reads the plan of an attempt. An error means that Envoy has lost a part of it.
func readPlan(x *exchange) (plan, error) {
	number, err := strconv.Atoi(x.header(envoy.HeaderAttempt))
	if err != nil {
		return plan{}, fmt.Errorf("read attempt number: %w", err)
	}
	p := plan{x.header(envoy.HeaderInstance), strings.Split(x.header(envoy.HeaderPlan), ","), number}
	if number < 1 || number > len(p.targets) {
		return plan{}, fmt.Errorf("find plan: attempt %d of %d", number, len(p.targets))
	}
	return p, nil
}

// target is the ID of the attempt's target.
func (p plan) target() string { return p.targets[p.number-1] }

// place is where an attempt goes.
type place struct {
	instance *Instance
	target   *Target
	cluster  string
}

// planned finds what an attempt was planned for; false if this replica does not have it, or
// the Envoy that calls cannot reach it.
func (p plan) planned(s *Snapshot, x *exchange) (place, bool) {
	instance, target, found := s.target(p.instance, p.target())
	if !found {
		return place{}, false
	}
	cluster, found := x.clusters().For(target.Cluster)
	return place{instance, target, cluster}, found
}

// readAttempt reads the client's request: from the body of attempt 1 and the originals
// that its rewrite kept, or from the body alone if attempt 1 was not rewritten.
//
// The request was readable when its plan was made, so no error is the client's. An error
// has the code only of a [provider.RequestError], whose message may quote the request.
func readAttempt(x *exchange) (*provider.Request, provider.Client, error) {
	var request *provider.Request
	var err error
	if x.captures, err = readCaptures(x); err != nil {
		return nil, provider.Client{}, fmt.Errorf("read captures: %w", err)
	}
	client := clientOf(x)
	if originals := x.header(envoy.HeaderOriginals); originals != "" {
		request, client.Query, err = provider.ReadAttempt(x.body, originals)
	} else {
		request, err = provider.ReadRequest(x.body)
	}
	var bad *provider.RequestError
	if errors.As(err, &bad) {
		err = errors.New(bad.Code)
	}
	return request, client, err
}
