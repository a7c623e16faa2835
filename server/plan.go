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
	"semlb/router"
)

// planner is the outer role: it plans a request and rewrites it for the plan's first
// target. This file is the way of a request from top to bottom.
type planner struct {
	responder
	snapshot func() *Snapshot
	metrics  *Metrics
}

func (p *planner) decide(ctx context.Context, x *exchange) *extprocv3.ProcessingResponse {
	if refusal := p.readmit(ctx, x); refusal != nil {
		return refusal
	}
	snapshot, match := x.snapshot, x.match
	instance := snapshot.Find(match)
	if instance == nil {
		return p.noInstance(x, snapshot, match)
	}
	if model, asks := x.asksForModels(); asks {
		return p.models(x, instance, model)
	}
	x.longest = instance.BodyLimit
	request, err := parse(x, instance)
	if err = x.misdirected(err, snapshot, instance); err != nil {
		return p.refuse(x, err)
	}
	if instance.Captures {
		x.captures = snapshot.Captures(match, x.path())
	}
	plan, panicked := route(ctx, instance.Router, routed(x, request, instance, match))
	x.acquiredProbes(instance.Router, plan.Probes)
	if panicked != nil {
		p.panics.record(ctx, x.id, panicked)
		if instance.OnPanic != OnPanicDefault {
			return p.fault(x, codeInternalError)
		}
	}
	if ctx.Err() != nil { // no client is left to answer, and the embedder is not at fault
		return p.clientGone(x)
	}
	unfit := leaveOutUnfit(x, request, instance, &plan)
	p.decided(x, instance, &plan, unfit)
	if len(plan.Targets) == 0 {
		return p.noTarget(x, instance, &plan)
	}
	response, err := dispatch(x, request, instance, &plan)
	if err != nil {
		return p.refuse(x, err)
	}
	return response
}

// parse reads a client's request and checks it against the instance.
func parse(x *exchange, instance *Instance) (*provider.Request, error) {
	if err := checkBody(x); err != nil {
		return nil, err
	}
	request, err := provider.ReadRequest(x.body)
	if err != nil {
		return nil, err
	}
	if err := request.CheckRouteType(instance.RouteTypes...); err != nil {
		return nil, err
	}
	if err := request.CheckContent(); err != nil {
		return nil, err
	}
	if models := instance.Models[string(request.Shape)]; models != nil && request.Model != "" && !slices.Contains(models, request.Model) {
		return nil, &provider.RequestError{
			Status: 400, Code: codeModel,
			Message: "cannot use own model, must be one of: " + strings.Join(models, ", "),
		}
	}
	return request, request.CheckStreaming(instance.Streaming)
}

// checkBody refuses a body that is not to be read.
func checkBody(x *exchange) error {
	if x.bodiless {
		return &provider.RequestError{Status: 400, Code: codeNoBody, Message: "the request has no body; POST a JSON object with messages or prompt"}
	}
	if err := checkAnnounced(x); err != nil {
		return err
	}
	return checkLength(x, int64(len(x.body)))
}

// routed is what the router plans a request by.
func routed(x *exchange, request *provider.Request, instance *Instance, m Match) router.Request {
	q := router.Request{
		Prompt: request.Prompt(), Size: len(x.body), Consumer: m.Consumer,
		Needs: router.Needs{RouteType: string(request.Shape), Stream: request.Stream},
	}
	if instance.HashHeader != "" {
		q.HashKey = x.header(instance.HashHeader)
	}
	return q
}

// errPanic is the cause of a plan that was made after a panic.
var errPanic = errors.New("panic")

// route plans a request. If that panics, here or in a goroutine on which it waits, the
// plan is the default group's, and the panic is returned with it.
func route(ctx context.Context, r Router, q router.Request) (router.Plan, *recovered) {
	var plan router.Plan
	if p := contain(func() { plan = r.Route(ctx, q) }); p != nil {
		return r.Degrade(q, errPanic), p
	}
	return plan, panicOf(plan.Err)
}

func (p *planner) decided(x *exchange, instance *Instance, plan *router.Plan, unfit []string) {
	p.recorder.Record(&record.Decided{
		Request: record.Request{ID: x.id, Instance: instance.ID, Time: p.now()},
		Reason:  string(plan.Reason), Targets: plan.Targets, Models: instance.names(plan.Targets),
		Unavailable: plan.Unavailable, Unfit: unfit, Probes: router.FormatProbes(plan.Probes),
		Candidates: plan.Candidates, Threshold: plan.Threshold, Stages: plan.Stages,
		Impaired: plan.Reason == router.Degraded || plan.Reason == router.AllOut, Err: plan.Err,
	})
}

// dispatch turns a request and its plan into the mutations of attempt 1. If every
// attempt can be made from a request that was rewritten before, the request is
// rewritten for the first target; otherwise it is not changed, and the inner role
// rewrites it on every attempt.
func dispatch(x *exchange, request *provider.Request, instance *Instance, plan *router.Plan) (*extprocv3.ProcessingResponse, error) {
	ids := plan.Targets
	set := planHeaders(x, request, instance, plan)
	client := clientOf(x)
	targets := make([]*Target, len(ids))
	original := false
	for i, id := range ids {
		targets[i] = instance.Targets[id]
		original = original || targets[i].NeedsOriginal(request, client)
	}
	if original {
		return passed(x, set, targets, client)
	}
	rewrite, err := targets[0].Rewrite(request, client)
	if err != nil {
		return nil, err
	}
	first := envoy.Header{Name: envoy.HeaderFirst, Value: firstCluster(x, targets[0])}
	if len(ids) == 1 && !x.call.repeatsAbsent() { // the inner role is not called
		return x.rewritten(envoy.RoleOuter, rewrite, withServed(append(set, first), instance, targets[0], rewrite.Model)), nil
	}
	originals, err := provider.EncodeOriginals(request, instance.Touched, client.Query)
	switch {
	case err != nil && len(ids) == 1:
		return passed(x, set, targets, client) // it needs nothing to be kept
	case err != nil:
		return nil, err
	}
	set = append(set, first, envoy.Header{Name: envoy.HeaderOriginals, Value: originals})
	set = describe(set, x, targets, rewrite.SetHeaders)
	return x.rewritten(envoy.RoleOuter, rewrite, withServed(set, instance, targets[0], rewrite.Model)), nil
}

// planHeaders are the headers that tell Envoy about a plan, whoever rewrites the request.
func planHeaders(x *exchange, request *provider.Request, instance *Instance, plan *router.Plan) []envoy.Header {
	ids := plan.Targets
	set := append(instance.Policy.Headers(len(ids), x.call.repeatsAbsent()),
		envoy.Header{Name: envoy.HeaderPlan, Value: strings.Join(ids, ",")},
		envoy.Header{Name: envoy.HeaderInstance, Value: instance.ID},
		idleOf(instance),
	)
	set = withWords(set, request, instance, ids)
	if len(plan.Probes) > 0 {
		set = append(set, envoy.Header{Name: envoy.HeaderProbes, Value: router.FormatProbes(plan.Probes)})
	}
	for _, h := range x.verdict.Headers {
		set = append(set, envoy.Header{Name: envoy.CORSHeader(h.Name), Value: h.Value})
	}
	return set
}

// withWords adds the number of words of a request's prompt if a target of its plan needs it.
func withWords(set []envoy.Header, request *provider.Request, instance *Instance, ids []string) []envoy.Header {
	measured := func(id string) bool { t := instance.Targets[id]; return t != nil && t.Statistics }
	if !slices.ContainsFunc(ids, measured) {
		return set
	}
	return append(set, envoy.Header{Name: envoy.HeaderWords, Value: strconv.Itoa(request.Words())})
}
