package server

import (
	"slices"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
)

// rewritten is the response that turns a request into the one for a target. Headers
// that it sets are not removed.
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

// unset are the names of headers that are not set. A copy of an internal header that a
// decision does not set is the client's, where its listener did not drop it.
func unset(names []string, set []envoy.Header) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(set, func(h envoy.Header) bool { return h.Name == name })
	})
}

// clientOf is what a rewrite may read of the client's request beside its body.
// Credentials used to authenticate to Envoy are never forwarded.
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
