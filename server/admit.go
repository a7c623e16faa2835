package server

import (
	"context"
	"net/netip"
	"slices"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/access"
	"semlb/envoy"
	"semlb/record"
	"semlb/wire"
)

// admit checks the head of a request, and leaves one that could not be planned here to
// another replica.
func (p *planner) admit(ctx context.Context, x *exchange) (*extprocv3.ProcessingResponse, error) {
	switch refusal := p.check(ctx, x); {
	case refusal != nil:
		return refusal, nil
	case !x.call.repeats() || plannable(x):
		return p.refuseByHead(x), nil
	}
	p.metrics.substitutes.WithLabelValues(substitutedElsewhere).Inc()
	return nil, errElsewhere
}

// plannable reports whether this replica has an instance for a request, and the Envoy that
// calls can reach all of its targets; or some, from [partialTry] on.
func plannable(x *exchange) bool {
	instance := x.snapshot.Find(x.match)
	if instance == nil {
		return false
	}
	reach := instance.reachFrom(x.clusters())
	return reach.all || reach.some && x.call.try >= partialTry
}

// check finds out who sent a request, and checks it by its head, before its body is taken:
// against the limits of a head, the consumers' credentials, the plugins that guard and the
// methods that are served. It returns the answer to a request that is not served, and nil for
// one that may go on.
func (p *planner) check(ctx context.Context, x *exchange) *extprocv3.ProcessingResponse {
	if err := x.checkHead(); err != nil {
		return p.refuse(x, err)
	}
	match, err := matchOf(ctx, x)
	if err != nil {
		return p.refuse(x, err)
	}
	s := p.snapshot()
	x.snapshot, x.match = s, match
	head := x.head()
	x.verdict = s.Gate.Check(head)
	x.match.Consumer, x.match.Groups = x.verdict.Consumer, x.verdict.Groups
	switch {
	case x.verdict.Refusal != nil:
		return p.deny(x, x.verdict.Refusal)
	case head.IsPreflight():
		return p.noCORS(x)
	}
	if err := x.checkCredentials(); err != nil {
		return p.refuse(x, err)
	}
	if allowed := x.methods(); !slices.Contains(allowed, head.Method) {
		return p.notAllowed(x, allowed)
	}
	return nil
}

// readmit checks a request again if another configuration has come into force while its
// body arrived.
func (p *planner) readmit(ctx context.Context, x *exchange) *extprocv3.ProcessingResponse {
	if x.snapshot == p.snapshot() {
		return nil
	}
	return p.check(ctx, x)
}

// head is what package access reads of a request.
func (x *exchange) head() *access.Request {
	m := x.match
	return &access.Request{
		Service: m.Service, Route: m.Route, Names: m.Names, Consumer: m.Consumer, Groups: m.Groups,
		Method: x.header(":method"), Header: x.values, Query: x.query(), Client: x.client(), Bodiless: x.bodiless,
	}
}

// client is the address that the request came from, as Envoy knows it; the zero Addr is
// unknown.
func (x *exchange) client() netip.Addr {
	if address, err := netip.ParseAddrPort(x.attributes[envoy.AttributeSource]); err == nil {
		return address.Addr()
	}
	return netip.Addr{}
}

// deny answers a request that a plugin refuses.
func (p *planner) deny(x *exchange, r *access.Refusal) *extprocv3.ProcessingResponse {
	body := r.Body
	if body == nil {
		body = wire.ErrorBody(r.Message, r.Type(), r.Code)
	}
	event := record.Answered{Status: r.Status, Code: r.Code, Cause: record.ByClient}
	if r.Configured() {
		event.Cause = record.Configured
	}
	response := p.answer(x, body, event)
	if r.ContentType != "" {
		envoy.SetHeader(response, "content-type", r.ContentType)
	}
	for _, h := range r.Headers {
		envoy.SetHeader(response, h.Name, h.Value)
	}
	return response
}

// noCORS answers a preflight where no plugin cors applies: other origins may do nothing.
func (p *planner) noCORS(x *exchange) *extprocv3.ProcessingResponse {
	return p.answer(x, nil, record.Answered{Status: 204, Code: access.CodePreflight})
}
