// Package envoy is everything Envoy-shaped and decides nothing: the resources
// Envoy is configured with (listeners, routes, clusters, bootstrap) and the
// mutations that answer its external processor.
//
// # Two hops inside one Envoy
//
// The outer listener takes the client's request, asks the external processor
// once for the plan, and sends every attempt to the inner listener, which lives
// in the same Envoy and is reached without a socket. The inner listener makes
// exactly one attempt at one target. It says whether a failure may go on to the
// next target, with a response header that the outer route retries on. From the
// second attempt on it asks the external processor to rewrite the request.
//
// Two headers name the cluster. [HeaderFirst] is set by the outer processor and
// is read on the first attempt only; [HeaderCluster] is set by the inner one and
// is read on all others. A rewrite that is forgotten then finds no cluster and
// sends nothing, instead of sending one target's key to another.
package envoy

// Headers between the two hops. Copies that a client sends are dropped before
// anything reads them, and no provider ever sees one.
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
	// HeaderServed is what x-kong-llm-model says if this attempt answers.
	HeaderServed = "x-semlb-served"
	// HeaderRetry is, on a request, the failure classes that may move on; on a
	// response of the inner hop, the sign that this one may.
	HeaderRetry = "x-semlb-retry"
	// HeaderProbes names the targets of the plan that are tried to see whether they
	// are back; see router.FormatProbes.
	HeaderProbes = "x-semlb-probes"
	// HeaderIdle is the longest silence of an attempt, in milliseconds.
	HeaderIdle = "x-semlb-idle"

	// HeaderObserve says what of an attempt is copied to the observing role, and
	// HeaderWords is the number of words of the prompt.
	HeaderObserve = "x-semlb-observe"
	HeaderWords   = "x-semlb-words"
	// HeaderConsumer is the consumer whose API key Envoy found; HeaderBasicUser and
	// HeaderIssuer are the user name and the token issuer it authenticated.
	HeaderConsumer  = "x-semlb-consumer"
	HeaderBasicUser = "x-semlb-basic-user"
	HeaderIssuer    = "x-semlb-issuer"

	headerAttempt     = "x-envoy-attempt-count"
	headerRateLimited = "x-envoy-ratelimited"
	headerServedBy    = "x-kong-llm-model"

	// headerProxyLatency is the time in milliseconds until the attempt that answered
	// began, and headerUpstreamLatency from then until its answer did. Only the inner
	// hop knows whether a provider answered at all; Envoy adds neither where it does not
	// know the number.
	headerProxyLatency    = "x-kong-proxy-latency"
	headerUpstreamLatency = "x-kong-upstream-latency"
)

// InternalHeaders are dropped from what clients send and from what providers get.
func InternalHeaders() []string {
	return []string{
		HeaderPlan, HeaderInstance, HeaderOriginals, HeaderFirst, HeaderCluster,
		HeaderServed, HeaderRetry, HeaderProbes, HeaderIdle, HeaderObserve, HeaderWords, HeaderConsumer, HeaderBasicUser, HeaderIssuer,
	}
}

// metadataKeys are the keys of gRPC metadata that semlb reads. As a header of HTTP they
// mean nothing.
func metadataKeys() []string {
	return []string{RoleKey, MetadataRoute, MetadataService, MetadataConsumer}
}

// foreignHeaders are all that mean something between the hops or to the outer role,
// and nothing from a client or to a provider.
func foreignHeaders() []string {
	return append(append(consumerHeaders(), InternalHeaders()...), headerAttempt)
}

// consumerHeaders are the ones in which a gateway in front tells who the consumer
// is. Clients' copies are never believed, and no provider gets them.
func consumerHeaders() []string {
	return []string{HeaderConsumerID, HeaderConsumerName, HeaderConsumerCustom, HeaderConsumerGroups}
}

// Attributes in which Envoy tells the external processor the name of the route it
// matched, that of the route's virtual host, and what the route's metadata says of
// the Kong route and service. The latter two are CEL expressions: as an attribute the
// metadata as a whole is a text that is made for people.
const (
	AttributeRoute       = "xds.route_name"
	AttributeHost        = "xds.virtual_host_name"
	AttributeRouteSaid   = "xds.route_metadata.filter_metadata." + metadataSpace + ".route"
	AttributeServiceSaid = "xds.route_metadata.filter_metadata." + metadataSpace + ".service"
)

// Keys of gRPC metadata with which an Envoy of someone else's says what semlb
// cannot know of its routes: in the filter's grpc_service.initial_metadata, or per
// route in ExtProcPerRoute's overrides.grpc_initial_metadata. A client cannot set
// them.
const (
	// MetadataRoute and MetadataService name the Kong route and service.
	MetadataRoute   = "x-semlb-route"
	MetadataService = "x-semlb-service"
	// MetadataConsumer says where the consumer is to be taken from, because a filter
	// before has put it there: [FromCredentials], [FromHeaders], or "metadata:" and a
	// namespace of dynamic metadata with the keys consumer and groups. Of several
	// values the first that names somebody counts.
	MetadataConsumer = "x-semlb-consumer-from"
	// FromCredentials are the headers that the filters of [Credentials] set.
	FromCredentials = "credentials"
	// FromHeaders are those that Kong sets.
	FromHeaders  = "headers"
	FromMetadata = "metadata:"
)

// Headers in which Kong, and gateways like it, tell who the consumer is.
const (
	HeaderConsumerName   = "x-consumer-username"
	HeaderConsumerID     = "x-consumer-id"
	HeaderConsumerCustom = "x-consumer-custom-id"
	HeaderConsumerGroups = "x-consumer-groups"
)

// RoleKey is the gRPC metadata key that tells the external processor's roles
// apart; its values are the roles.
const (
	RoleKey     = "x-semlb-role"
	RoleOuter   = "outer"
	RoleInner   = "inner"
	RoleObserve = "observe"
)

// Names of what Envoy is configured with.
const (
	outerListener  = "semlb_outer"
	innerListener  = "semlb_inner"
	outerRoutes    = "semlb_outer"
	innerRoutes    = "semlb_inner"
	hopCluster     = "semlb_hop"
	serviceCluster = "semlb_service"
	metadataSpace  = "semlb"
	metadataServed = "served"
	metadataRetry  = "retry"
)
