package envoy

import (
	"maps"
	"slices"
)

// Headers between the two hops. Copies that a client sends are dropped before they are
// read, and no provider gets one.
const (
	// HeaderPlan is the plan: target IDs in order, comma separated.
	HeaderPlan = "x-semlb-plan"
	// HeaderInstance names the plugin instance that made the plan.
	HeaderInstance = "x-semlb-instance"
	// HeaderOriginals holds the client's own values of the body fields that
	// targets set; see provider.EncodeOriginals.
	HeaderOriginals = "x-semlb-originals"
	// HeaderFirst is the cluster of attempt 1, if the outer role rewrote it.
	HeaderFirst = "x-semlb-first"
	// HeaderCluster is the cluster of an attempt the inner role rewrote.
	HeaderCluster = "x-semlb-cluster"
	// HeaderServed is the value of x-kong-llm-model if this attempt answers.
	HeaderServed = "x-semlb-served"
	// HeaderRetry is, on a request, the list of failure classes that may move on; on a
	// response of the inner hop, it is present if this failure may.
	HeaderRetry = "x-semlb-retry"
	// HeaderRepeat is, on a response of the inner hop, present if the attempt may be made once
	// more: its connection ended, which was older than the attempt, or Envoy does not have its
	// cluster, and the value is [ClassAbsent]. It ends at the hop's cluster.
	HeaderRepeat = "x-semlb-repeat"
	// HeaderReplan is, on a response of the inner hop, the plan that takes the place of the
	// request's, see [Replan]. It ends at the hop's cluster.
	HeaderReplan = "x-semlb-replan"
	// HeaderConnection is, on an attempt that is made once more on a new connection, an
	// address that no other has: such an attempt shares no connection. It begins at the hop's
	// cluster.
	HeaderConnection = "x-semlb-connection"
	// HeaderProbes names the targets of the plan whose attempts are probes of an open
	// breaker; see router.FormatProbes.
	HeaderProbes = "x-semlb-probes"
	// HeaderIdle is the idle timeout of an attempt (read_timeout), in milliseconds.
	HeaderIdle = "x-semlb-idle"

	// HeaderCaptures holds the named groups of the path of the route that matched, encoded
	// as a query, if a target of the plan takes one.
	HeaderCaptures = "x-semlb-captures"

	// HeaderMatch describes a request and the targets of its plan to a replica that does not
	// have them.
	HeaderMatch = "x-semlb-match"

	// HeaderAdmitted is present if the role upload has admitted the request.
	HeaderAdmitted = "x-semlb-admitted"

	// HeaderObserve selects what of an attempt is copied to the observing role:
	// [ObserveAnswer] or [ObserveAll].
	HeaderObserve = "x-semlb-observe"
	// HeaderWords is the number of words of the prompt.
	HeaderWords = "x-semlb-words"

	// HeaderAllowOrigin, HeaderAllowCredentials, HeaderExpose and HeaderVary are values for
	// the answer to a page of another origin: those of the headers of [CORSHeaders].
	HeaderAllowOrigin      = "x-semlb-allow-origin"
	HeaderAllowCredentials = "x-semlb-allow-credentials"
	HeaderExpose           = "x-semlb-expose"
	HeaderVary             = "x-semlb-vary"

	// HeaderAttempt is the number of the attempt, from 1. Envoy sets it.
	HeaderAttempt = "x-envoy-attempt-count"
)

// ClientIDHeader is the client's own x-request-id, if it is kept. Envoy sets it before it
// drops [InternalHeaders], of which it is none for that reason; no provider gets it.
const ClientIDHeader = "x-semlb-request-id"

// SchemeHeader is the scheme of the client's request to the proxy in front of Envoy.
const SchemeHeader = "x-semlb-scheme"

// UpstreamIDHeader is the response header in which clients and logs get the provider's own
// x-request-id: that of the answer may be the client's.
const UpstreamIDHeader = "x-upstream-request-id"

// FinalHeader is a response header of the inner hop that makes the outer router stop:
// Envoy does not retry a response with it, unless retry_on has envoy-ratelimited.
const FinalHeader = "x-envoy-ratelimited"

// corsHeaders are the response headers of the plugin cors, and the request headers in which
// the outer role has put their values.
var corsHeaders = map[string]string{
	"access-control-allow-origin":      HeaderAllowOrigin,
	"access-control-allow-credentials": HeaderAllowCredentials,
	"access-control-expose-headers":    HeaderExpose,
	"vary":                             HeaderVary,
}

// CORSHeaders are the response headers of the plugin cors, and the request headers in which
// the outer role has put their values.
func CORSHeaders() map[string]string { return maps.Clone(corsHeaders) }

// CORSHeader is the request header for the value of a response header.
func CORSHeader(name string) string { return corsHeaders[name] }

// internalHeaders are dropped from what clients send and from what providers get.
var internalHeaders = []string{
	HeaderPlan, HeaderInstance, HeaderOriginals, HeaderFirst, HeaderCluster,
	HeaderServed, HeaderRetry, HeaderRepeat, HeaderReplan, HeaderConnection, HeaderProbes, HeaderIdle,
	HeaderCaptures, HeaderMatch, HeaderAdmitted, HeaderObserve, HeaderWords,
	HeaderAllowOrigin, HeaderAllowCredentials, HeaderExpose, HeaderVary,
}

// InternalHeaders are the headers between the hops. Clients' copies are dropped, and
// no provider gets one.
func InternalHeaders() []string { return slices.Clone(internalHeaders) }

// IsInternal reports whether a header, in lower case, is one of [InternalHeaders].
func IsInternal(name string) bool { return slices.Contains(internalHeaders, name) }

// decidedBy are the internal headers that a role sets or removes with every request.
var decidedBy = map[string][]string{
	RoleOuter: internalHeaders,
	RoleInner: {HeaderServed, HeaderObserve},
}

// Unset are the internal headers that a role has to remove when it sets others: a copy
// that it leaves may be the client's, or a former attempt's.
func Unset(role string, set []Header) []string {
	decided := decidedBy[role]
	names := make([]string, 0, len(decided))
	for _, name := range decided {
		if !slices.ContainsFunc(set, func(h Header) bool { return h.Name == name }) {
			names = append(names, name)
		}
	}
	return names
}

// Headers in which Kong, and gateways like it, name the consumer.
const (
	HeaderConsumerName   = "x-consumer-username"
	HeaderConsumerID     = "x-consumer-id"
	HeaderConsumerCustom = "x-consumer-custom-id"
	HeaderConsumerGroups = "x-consumer-groups"
)

// consumerHeaders are the ones in which a gateway in front names the consumer. Clients'
// copies are ignored, and no provider gets them.
var consumerHeaders = []string{HeaderConsumerID, HeaderConsumerName, HeaderConsumerCustom, HeaderConsumerGroups}

// reservedHeaders are all headers that have a meaning between the hops or for the outer
// role.
var reservedHeaders = slices.Concat(consumerHeaders, internalHeaders, []string{HeaderAttempt})

// ReservedHeaders are all headers that have a meaning between the hops or for the outer
// role. They are dropped from what clients send and from what providers get.
func ReservedHeaders() []string { return slices.Clone(reservedHeaders) }
