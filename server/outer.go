package server

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
)

// plan is the outer role: it reads the request, has it planned, and rewrites it
// for the plan's first target.
func (p *Processor) plan(ctx context.Context, x *exchange) *extprocv3.ProcessingResponse {
	if err := x.checkHead(); err != nil {
		return p.refuse(ctx, x, err)
	}
	snapshot := p.snapshot()
	match := matchOf(ctx, snapshot, x)
	instance := snapshot.Find(match)
	if instance == nil {
		return p.nobody(snapshot, match)
	}
	if x.bodiless && x.asksForModels() {
		return p.answer(200, instance.modelList(), codeModels)
	}
	request, err := read(x, instance)
	if err != nil {
		return p.refuse(ctx, x, err)
	}
	plan, panicked := route(ctx, instance.Router, request.Prompt())
	x.prober, x.probes = instance.Router, plan.Probes
	if panicked != nil {
		p.panics.note(ctx, x.requestID(), panicked)
		if instance.OnPanic != OnPanicDefault {
			return p.fault(codeInternalError)
		}
	}
	if ctx.Err() != nil { // nobody is there to be answered, and nothing is wrong with the embedder
		return p.answer(499, envoy.ErrorBody("The client went away.", "invalid_request_error", codeClientGone), codeClientGone)
	}
	p.metrics.decisions.WithLabelValues(string(plan.Reason)).Inc()
	p.log.LogAttrs(ctx, levelOf(plan), "routed", slog.String("request_id", x.requestID()),
		slog.String("instance", instance.ID), slog.Any("models", instance.names(plan.Targets)), slog.Any("plan", plan))
	switch {
	case plan.Reason == router.AllOut:
		return p.answer(500, allOut(plan, instance), string(plan.Reason))
	case len(plan.Targets) == 0:
		return p.answer(503, noMatch(plan), string(plan.Reason))
	}
	response, err := dispatch(x, request, instance, plan)
	if err != nil {
		return p.refuse(ctx, x, err)
	}
	return response
}

// nobody answers a request that no instance serves.
func (p *Processor) nobody(s *Snapshot, m Match) *extprocv3.ProcessingResponse {
	if m.Consumer == "" && s.ConsumersOnly {
		return p.answer(401, envoy.ErrorBody("This route serves known consumers only; send a credential.", "authentication_error", codeNoConsumer), codeNoConsumer)
	}
	return p.answer(404, envoy.ErrorBody("No ai-proxy-advanced plugin applies to this request.", "invalid_request_error", codeNoPlugin), codeNoPlugin)
}

// levelOf makes a decision that could not be made as configured stand out.
func levelOf(plan router.Plan) slog.Level {
	if plan.Reason == router.Degraded || plan.Reason == router.AllOut {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// read reads a client's request and checks it against the instance.
func read(x *exchange, instance *Instance) (*provider.Request, error) {
	if x.bodiless {
		return nil, &provider.RequestError{Status: 400, Code: codeNoBody, Message: "the request has no body; POST a JSON object with messages or prompt"}
	}
	if err := provider.CheckContentType(x.header("content-type")); err != nil {
		return nil, err
	}
	if encoding := x.header("content-encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, &provider.RequestError{Status: 415, Code: codeEncoding, Message: "request bodies must not be compressed"}
	}
	if int64(len(x.body)) > instance.BodyLimit {
		return nil, &provider.RequestError{
			Status: 413, Code: codeTooLarge,
			Message: "the request body is longer than " + strconv.FormatInt(instance.BodyLimit, 10) + " bytes",
		}
	}
	request, err := provider.ReadRequest(x.body)
	if err != nil {
		return nil, err
	}
	if err := request.CheckRouteType(instance.RouteType); err != nil {
		return nil, err
	}
	if instance.Models != nil && request.Model != "" && !slices.Contains(instance.Models, request.Model) {
		return nil, &provider.RequestError{
			Status: 400, Code: codeModel,
			Message: "cannot use own model, must be one of: " + strings.Join(instance.Models, ", "),
		}
	}
	return request, request.CheckStreaming(instance.Streaming)
}

// refuse answers a request that is wrong, or for which no rewrite could be made.
func (p *Processor) refuse(ctx context.Context, x *exchange, err error) *extprocv3.ProcessingResponse {
	var wrong *provider.RequestError
	if errors.As(err, &wrong) {
		p.log.InfoContext(ctx, "refused", "request_id", x.requestID(), "code", wrong.Code, "status", wrong.Status)
		return p.answer(wrong.Status, wrong.JSON(), wrong.Code)
	}
	p.log.ErrorContext(ctx, "rewrite", "request_id", x.requestID(), "error", err)
	return p.fault(codeRewriteFailed)
}

// noMatch is the body of a plan without targets: the distance, never the prompt.
func noMatch(plan router.Plan) []byte {
	message := "No target's description matches the request"
	if plan.Measured && plan.Threshold != nil {
		message += ": the nearest is at distance " + strconv.FormatFloat(plan.Distance, 'f', 4, 64) +
			", the threshold is " + strconv.FormatFloat(*plan.Threshold, 'f', -1, 64)
	}
	return envoy.ErrorBody(message+".", "server_error", string(router.NoMatch))
}

// allOut is the body of a plan whose targets are all out. It lists them.
func allOut(plan router.Plan, instance *Instance) []byte {
	return envoy.ErrorBody("Every target for this request has failed too often and is left out for a while: "+
		strings.Join(instance.names(plan.Out), ", ")+".", "server_error", string(router.AllOut))
}

// dispatch turns a request and its plan into what Envoy does with it. If every
// attempt can be made from a request that was rewritten before, the first target's
// rewrite is made here and now; else the request stays as it is, and the inner
// role rewrites it on every attempt.
func dispatch(x *exchange, request *provider.Request, instance *Instance, plan router.Plan) (*extprocv3.ProcessingResponse, error) {
	ids := plan.Targets
	set := append(instance.Policy.Headers(len(ids)),
		envoy.Header{Name: envoy.HeaderPlan, Value: strings.Join(ids, ",")},
		envoy.Header{Name: envoy.HeaderInstance, Value: instance.ID},
		envoy.Header{Name: envoy.HeaderIdle, Value: strconv.FormatInt(instance.Idle.Milliseconds(), 10)},
	)
	if slices.ContainsFunc(ids, func(id string) bool { return instance.Targets[id].Statistics }) {
		set = append(set, envoy.Header{Name: envoy.HeaderWords, Value: strconv.Itoa(request.Words())})
	}
	if len(plan.Probes) > 0 {
		set = append(set, envoy.Header{Name: envoy.HeaderProbes, Value: router.FormatProbes(plan.Probes)})
	}
	client := clientOf(x)
	targets := make([]*Target, len(ids))
	untouched := false
	for i, id := range ids {
		targets[i] = instance.Targets[id]
		untouched = untouched || targets[i].NeedsOriginal(request, client)
	}
	if untouched {
		return envoy.PassRequest(set, unset(envoy.InternalHeaders(), set)), nil
	}
	rewrite, err := targets[0].Rewrite(request, client)
	if err != nil {
		return nil, err
	}
	set = append(set, envoy.Header{Name: envoy.HeaderFirst, Value: targets[0].Cluster})
	if len(ids) > 1 {
		originals, err := provider.EncodeOriginals(request, instance.Touched, client.Query)
		if err != nil {
			return nil, err
		}
		set = append(set, envoy.Header{Name: envoy.HeaderOriginals, Value: originals})
	}
	return rewritten(rewrite, instance, targets[0], set, envoy.InternalHeaders()...), nil
}

// rewritten is the answer that turns a request into the one for a target. Of the
// headers to remove, those that it sets stay.
func rewritten(r provider.Rewrite, instance *Instance, target *Target, set []envoy.Header, remove ...string) *extprocv3.ProcessingResponse {
	if instance.ModelHeader {
		set = append(set, envoy.Header{Name: envoy.HeaderServed, Value: target.Provider + "/" + r.Model})
	}
	if what := target.observing(); what != "" {
		set = append(set, envoy.Header{Name: envoy.HeaderObserve, Value: what})
	}
	remove = unset(remove, set)
	for _, h := range r.SetHeaders {
		set = append(set, envoy.Header{Name: h.Name, Value: h.Value.Reveal()})
	}
	return envoy.ReplaceRequest(envoy.Request{
		Scheme: r.Scheme, Authority: r.Authority, Path: r.Path, Body: r.Body,
		Set: set, Remove: append(remove, r.RemoveHeaders...),
	})
}

// unset are the names of headers that are not set. A copy of one of ours that a
// decision does not set is the client's, where its listener did not drop it.
func unset(names []string, set []envoy.Header) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(set, func(h envoy.Header) bool { return h.Name == name })
	})
}

// clientOf is what a rewrite may know of the client's request beside its body. What
// the client proved to Envoy who it is with is not for a provider.
func clientOf(x *exchange) provider.Client {
	client := provider.Client{Query: x.query(), Header: x.lookup}
	if x.header(envoy.HeaderConsumer) != "" {
		client = client.Without(envoy.APIKeyName)
	}
	if x.header(envoy.HeaderBasicUser) != "" || x.header(envoy.HeaderIssuer) != "" {
		client = client.Without("authorization", envoy.TokenName)
	}
	return client
}
