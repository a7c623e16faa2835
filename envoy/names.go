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

// metadataKeys are the keys of gRPC metadata that semlb reads. As HTTP headers they have no
// meaning.
var metadataKeys = []string{RoleKey, MetadataTries, MetadataTry, MetadataRoute, MetadataService, MetadataConsumer}

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
	// KeyReplan is the plan that has taken the place of the request's, see [Replan].
	KeyReplan = "replan"
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
