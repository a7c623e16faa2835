// Package envoy is the protocol between Envoy and semlb: names of headers, metadata
// and logs, the answers of the external processor, the headers of a retry policy, and
// the entries of the access logs. It decides nothing. Package parts makes Envoy's
// configuration, and package render whole configurations out of the parts.
//
// # Two hops inside one Envoy
//
// The outer listener receives the client's request, calls the external processor once
// for the plan, and sends every attempt to the inner listener, which is part of the
// same Envoy. The inner listener makes exactly one attempt at one target. A response
// header of the inner listener, on which the outer route retries, permits a failure
// to move on to the next target. From the second attempt on, the inner
// listener calls the external processor to rewrite the request.
//
// Two headers name the cluster. [HeaderFirst] is set by the outer processor and read
// on the first attempt only; [HeaderCluster] is set by the inner one and read on all
// others. An attempt whose rewrite was forgotten then finds no cluster and nothing is
// sent, instead of one target's key to another target.
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
	// HeaderConnection is, on an attempt that is made once more on a new connection, an address that no other
	// has: such an attempt shares no connection. It begins at the hop's cluster.
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
	// have them; see the server's foreign attempts.
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
	HeaderServed, HeaderRetry, HeaderRepeat, HeaderConnection, HeaderProbes, HeaderIdle, HeaderCaptures, HeaderMatch, HeaderAdmitted, HeaderObserve, HeaderWords,
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

// consumerHeaders are the ones in which a gateway in front names the consumer. Clients'
// copies are ignored, and no provider gets them.
var consumerHeaders = []string{HeaderConsumerID, HeaderConsumerName, HeaderConsumerCustom, HeaderConsumerGroups}

// metadataKeys are the keys of gRPC metadata that semlb reads. As HTTP headers they have no
// meaning.
var metadataKeys = []string{RoleKey, MetadataTries, MetadataTry, MetadataRoute, MetadataService, MetadataConsumer}

// reservedHeaders are all headers that have a meaning between the hops or for the outer
// role.
var reservedHeaders = slices.Concat(consumerHeaders, internalHeaders, []string{HeaderAttempt})

// ReservedHeaders are all headers that have a meaning between the hops or for the outer
// role. They are dropped from what clients send and from what providers get.
func ReservedHeaders() []string { return slices.Clone(reservedHeaders) }

// Attributes that Envoy sends to the external processor: the name of the route that
// matched, that of its virtual host, and the Kong route and service in the route's
// metadata. The latter two are CEL expressions, because the metadata as a whole is
// sent in protobuf's debug format.
const (
	AttributeRoute           = "xds.route_name"
	AttributeHost            = "xds.virtual_host_name"
	AttributeRouteMetadata   = "xds.route_metadata.filter_metadata." + MetadataNamespace + ".route"
	AttributeServiceMetadata = "xds.route_metadata.filter_metadata." + MetadataNamespace + ".service"
)

// AttributeClusters are the [Clusters] of the Envoy that calls: part of the metadata of its
// routes, under [KeyClusters]. AttributeKnown has them from [KnownCluster], which changes
// together with the clusters themselves.
const (
	KeyClusters       = "clusters"
	AttributeClusters = "xds.route_metadata.filter_metadata." + MetadataNamespace + "." + KeyClusters
	AttributeKnown    = "xds.cluster_metadata.filter_metadata." + MetadataNamespace + "." + KeyClusters
)

// AttributeSource is the address and the port of the client, as Envoy knows them.
const AttributeSource = "source.address"

// Keys of gRPC metadata with which a foreign listener describes its routes: in the
// filter's grpc_service.initial_metadata, or per route in ExtProcPerRoute's
// overrides.grpc_initial_metadata. A client cannot set them.
const (
	// MetadataRoute and MetadataService name the Kong route and service.
	MetadataRoute   = "x-semlb-route"
	MetadataService = "x-semlb-service"
	// MetadataConsumer is where an earlier filter has put the consumer that it
	// authenticated: [FromHeaders], or [FromMetadata] and a namespace of dynamic metadata
	// with the keys consumer and groups. Of several values, the first that names a consumer
	// counts.
	MetadataConsumer = "x-semlb-consumer-from"
	// FromHeaders are the X-Consumer headers, which Kong sets.
	FromHeaders = "headers"
	// FromMetadata is followed by the namespace.
	FromMetadata = "metadata:"
)

// Headers in which Kong, and gateways like it, name the consumer.
const (
	HeaderConsumerName   = "x-consumer-username"
	HeaderConsumerID     = "x-consumer-id"
	HeaderConsumerCustom = "x-consumer-custom-id"
	HeaderConsumerGroups = "x-consumer-groups"
)

// Roles of the external processor.
const (
	// RoleKey is the gRPC metadata key whose value is the role.
	RoleKey = "x-semlb-role"
	// RoleOuter plans a request, and rewrites it for the plan's first target.
	RoleOuter = "outer"
	// RoleUpload admits a request whose body may be large, and watches it arrive.
	RoleUpload = "upload"
	// RoleInner rewrites a later attempt for its target.
	RoleInner = "inner"
	// RoleObserve receives copies of an attempt, and answers nothing.
	RoleObserve = "observe"
)

// Keys of gRPC metadata with which a replica finds out whether Envoy will call another one
// if it does not take a call.
const (
	// MetadataTries is the try at which a replica takes a call in any case. Only an Envoy
	// whose configuration is older than it lacks it.
	MetadataTries = "x-semlb-tries"
	// MetadataTry is the number of the try, from 1. It is missing where Envoy knows of one
	// replica only.
	MetadataTry = "x-semlb-try"
)

// Tries is the value of [MetadataTries]: most deployments have fewer replicas. MostTries is
// how often Envoy makes a call: at a replica that has just ended it fails without any
// response, and must not count.
const (
	Tries     = 8
	MostTries = Tries + 2
)

// Values of [HeaderObserve].
const (
	// ObserveAnswer copies the answer only, for statistics.
	ObserveAnswer = "answer"
	// ObserveAll copies the request as the provider gets it, and the answer, for logs of
	// payloads.
	ObserveAll = "all"
)

// Names of the access logs: each stream to the access log service begins with one.
const (
	// LogAttempts has an entry for each attempt; see [ReadAttempt].
	LogAttempts = "semlb_attempts"
	// LogRequests has an entry for each request; see [ReadFinished].
	LogRequests = "semlb_requests"
)

// NodeCluster is the cluster that Envoys of semlb name in their bootstrap.
const NodeCluster = "semlb"

// MetadataNamespace is the namespace of dynamic metadata and of route metadata.
const MetadataNamespace = "semlb"

// Keys in [MetadataNamespace] with which an attempt's log entry describes its plan.
// The request headers are of no use there: the route has removed them before the entry
// is written.
const (
	KeyInstance = "instance"
	KeyPlan     = "plan"
	KeyAttempt  = "attempt"
	KeyProbes   = "probes"
	// KeyRepeats is the number of attempts of a request that were made once more.
	KeyRepeats = "repeats"
)

// Names of listeners, route configurations and clusters.
const (
	// OuterListener is the listener that clients connect to, its route configuration, and
	// the prefix of its statistics.
	OuterListener = "semlb_outer"
	// InnerListener is the listener that makes an attempt, its route configuration, and
	// the prefix of its statistics.
	InnerListener = "semlb_inner"
	// HopCluster is the cluster of the inner listener.
	HopCluster = "semlb_hop"
	// KnownCluster is a cluster without hosts. Attempts that are not rewritten yet have it, for
	// its metadata.
	KnownCluster = "semlb_known"
	// ServiceCluster is the cluster of semlb's gRPC servers.
	ServiceCluster = "semlb_service"
)
