package server

import (
	"slices"
	"strconv"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
)

// rewritten is the response of a role that turns a request into the one for a target. The
// credentials of consumers are not sent on.
func (x *exchange) rewritten(role string, r provider.Rewrite, set []envoy.Header) *extprocv3.ProcessingResponse {
	remove := append(envoy.Unset(role, set), x.removed(&r)...)
	set = append(set, x.acceptable()...)
	for _, name := range x.verdict.Spent {
		if !slices.ContainsFunc(r.SetHeaders, func(h provider.Header) bool { return h.Name == name }) {
			remove = append(remove, name)
		}
	}
	for _, h := range r.SetHeaders {
		set = append(set, envoy.Header{Name: h.Name, Value: h.Value.Reveal()})
	}
	return envoy.ReplaceRequest(envoy.Request{
		Scheme: r.Scheme, Authority: r.Authority, Path: r.Path, Body: r.Body,
		Set: set, Remove: remove,
	})
}

// removed are the headers of a request that a rewrite removes, and those that their names
// keep from providers.
func (x *exchange) removed(r *provider.Rewrite) []string {
	var found []string
	for _, h := range x.headers {
		if name := h.GetKey(); !envoy.IsInternal(name) && (r.Removes(name) || envoy.Strips(name)) {
			found = append(found, name)
		}
	}
	return found
}

// withServed adds the headers that describe the target of an attempt to Envoy.
func withServed(set []envoy.Header, instance *Instance, target *Target, model string) []envoy.Header {
	if instance.ModelHeader {
		set = append(set, envoy.Header{Name: envoy.HeaderServed, Value: target.Provider + "/" + model})
	}
	if what := target.observing(); what != "" {
		set = append(set, envoy.Header{Name: envoy.HeaderObserve, Value: what})
	}
	return set
}

// clientOf is what a rewrite may read of the client's request beside its body.
// Credentials of consumers are never forwarded.
func clientOf(x *exchange) provider.Client {
	client := provider.Client{Query: x.query(), Header: x.lookup, Captures: x.captures}
	if spent := x.verdict.Spent; len(spent) > 0 {
		client = client.Without(spent...)
	}
	return client
}

// passed leaves a request as it is, for the inner role to rewrite it on every attempt, but
// without the credentials that authenticated it.
func passed(x *exchange, set []envoy.Header, targets []*Target, client provider.Client) (*extprocv3.ProcessingResponse, error) {
	set, err := withCaptures(set, x.captures)
	if err != nil {
		return nil, err
	}
	set = describe(set, x, targets, nil)
	remove := append(envoy.Unset(envoy.RoleOuter, set), x.verdict.Spent...)
	if path, query, _ := strings.Cut(x.header(":path"), "?"); query != client.Query {
		if client.Query != "" {
			path += "?" + client.Query
		}
		set = append(set, envoy.Header{Name: ":path", Value: path})
	}
	if length := strconv.Itoa(len(x.body)); x.header("content-length") != length { // see announced
		set = append(set, envoy.Header{Name: "content-length", Value: length})
	}
	return envoy.PassRequest(set, remove), nil
}
