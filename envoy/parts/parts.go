// Package parts builds the two hops (see package envoy) as named parts: protobuf
// messages, each for one place in Envoy's configuration. A part sets the fields that
// semlb needs in that place and no others. So it can be added to a foreign listener, one
// that semlb does not own, as well as to our own: with proto.Merge, or as the value of a
// patch, such as a MERGE of Istio's EnvoyFilter.
//
// [New] is a pure function. Package render combines the parts.
package parts

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// Parts are all parts of the two hops. Messages may share parts of each other: clone one
// before you change it.
type Parts struct {
	Outer    Outer
	Inner    Inner
	Clusters Clusters
	Process  Process
}

// Outer is the outer hop: what a listener that clients connect to needs to plan requests
// and to send every attempt to the inner hop. Fields are required unless they are
// marked as optional.
type Outer struct {
	// Address is where our own listener listens.
	Address *corev3.Address
	// Listener has the buffer limit of a connection.
	Listener *listenerv3.Listener
	// Manager has the settings of the HTTP connection manager: all clients are external,
	// so that Envoy drops their copies of internal headers, and the window of HTTP/2
	// streams fits the buffers.
	Manager *hcmv3.HttpConnectionManager
	// RequestID keeps the client's own request ID, if logs can hold it. It belongs into the
	// connection manager. Optional: without it Envoy makes all IDs.
	RequestID *hcmv3.HttpConnectionManager
	// Names removes what clients have named like headers of Envoy or of the hops. It comes
	// before all that changes a request's head. Optional: Envoy drops most of these anyway,
	// and no provider gets one.
	Names *corev3.TypedExtensionConfig
	// Scheme keeps the client's X-Forwarded-Proto, for KongRoutes that need TLS.
	// Optional without them.
	Scheme *corev3.TypedExtensionConfig
	// Replies give Envoy's own answers the shape of the OpenAI API. Optional.
	Replies *hcmv3.LocalReplyConfig
	// AccessLog reports every request: without it requests are not logged, and unused
	// probes of circuit breakers are released only when they expire. Optional.
	AccessLog []*accesslogv3.AccessLog

	// Paths gives requests the normal form of their paths. It comes before the processor,
	// and Envoy's own normalization is off. Optional where routes see no paths, or Envoy's
	// own is enough for them.
	Paths *hcmv3.HttpFilter
	// Uploads are the filters for requests whose body may be large. They come before
	// Processor. A foreign listener without them has ForeignListener, ForeignManager and
	// ForeignRoute in the place of Listener, Manager and Route, with limits for whole bodies.
	Uploads         []*hcmv3.HttpFilter
	ForeignListener *listenerv3.Listener
	ForeignManager  *hcmv3.HttpConnectionManager
	ForeignRoute    *routev3.Route
	// Processor is the external processor in the outer role, for routes that have the
	// names of Kong's.
	Processor *hcmv3.HttpFilter
	// ForeignProcessor takes the place of Processor in a foreign listener. Its routes
	// name the Kong route and service by their own names, in their metadata, or in gRPC
	// metadata (docs/own-envoy.md).
	ForeignProcessor *hcmv3.HttpFilter
	// Router is the terminal filter. Optional: it removes Envoy's own response headers,
	// which describe the inner hop.
	Router *hcmv3.HttpFilter

	// Routes has the settings of the route configuration: headers that only semlb and
	// Envoy may set.
	Routes *routev3.RouteConfiguration
	// VirtualHost has the settings of a virtual host: the number of the attempt.
	VirtualHost *routev3.VirtualHost
	// Route sends a request to the hop. Its name and its match are the host's.
	Route *routev3.Route
	// ResponseHeaders are what a route adds to answers, as Kong does. Optional.
	ResponseHeaders []*corev3.HeaderValueOption
	// CORSHeaders are what a route with the plugin cors adds to answers, and
	// CORSHeadersToRemove those of providers that it drops. Optional without that plugin.
	CORSHeaders         []*corev3.HeaderValueOption
	CORSHeadersToRemove []string
	// KongRoutes are the configuration's routes in Kong's order, each with Route and
	// ResponseHeaders in it. The last one answers 404 to what none matches. A foreign
	// listener has its own routes instead.
	KongRoutes []*routev3.Route
}

// Inner is the inner hop: a listener that makes one attempt. It is whole, and goes as it
// is into any Envoy.
type Inner struct {
	// Listener is the listener without its filter chain.
	Listener *listenerv3.Listener
	// Manager is the HTTP connection manager without filters, routes, replies and log.
	Manager *hcmv3.HttpConnectionManager
	// Replies decide whether a failure may move on to the next target.
	Replies *hcmv3.LocalReplyConfig
	// AccessLog reports every attempt.
	AccessLog []*accesslogv3.AccessLog

	// AttemptMetadata keeps what the attempt's log entry needs of the plan. It comes before
	// Processor, so that an attempt that could not be rewritten has an entry too.
	AttemptMetadata *hcmv3.HttpFilter
	// Processor is the external processor in the inner role. It is skipped on a first
	// attempt that the outer role rewrote.
	Processor *hcmv3.HttpFilter
	// PlanMetadata keeps what Replies and the response headers need of the plan.
	PlanMetadata *hcmv3.HttpFilter
	// Connection gives an attempt that is made once more a connection of its own.
	Connection *hcmv3.HttpFilter
	// Buffer reads the whole body before it is rewritten and sent.
	Buffer *hcmv3.HttpFilter
	// Observers copy attempts to the observing role, and wait for nothing.
	Observers []*hcmv3.HttpFilter
	// OddAnswers replaces answers whose status no client can read. It is the first filter to
	// see an answer, so that no observer gets one.
	OddAnswers *hcmv3.HttpFilter
	// Router is the terminal filter. It drops providers' copies of headers that steer Envoy.
	Router *hcmv3.HttpFilter

	// Routes send an attempt to the cluster that its rewrite names.
	Routes *routev3.RouteConfiguration
}

// Filters are the filters of the inner hop in their order.
func (i Inner) Filters() []*hcmv3.HttpFilter {
	filters := []*hcmv3.HttpFilter{i.AttemptMetadata, i.Buffer, i.Processor, i.PlanMetadata, i.Connection}
	return append(append(filters, i.Observers...), i.OddAnswers, i.Router)
}

// Clusters are the clusters that the hops name.
type Clusters struct {
	// Hop is the inner listener.
	Hop *clusterv3.Cluster
	// Service is semlb's gRPC servers: external processor, access log service, and over
	// xDS the control plane.
	Service *clusterv3.Cluster
	// Known has no hosts; its metadata lists the upstreams.
	Known *clusterv3.Cluster
	// Upstreams are the endpoints of the targets, sorted by name.
	Upstreams []*clusterv3.Cluster
}

// Process is what belongs to an Envoy as a whole: to its bootstrap.
type Process struct {
	// InternalListeners is the extension that an internal listener needs; nil if the hop
	// is a Unix socket.
	InternalListeners *corev3.TypedExtensionConfig
	// Overload keeps Envoy within its memory. Optional.
	Overload *overloadv3.OverloadManager
	// Allocator returns freed memory to the system. It belongs to Overload.
	Allocator *bootstrapv3.MemoryAllocatorManager
	// Runtime permits long regular expressions in KongRoutes. Optional without them.
	Runtime *bootstrapv3.LayeredRuntime
	// Resolver is how names are resolved. Optional.
	Resolver *corev3.TypedExtensionConfig
}

// New makes the parts of a configuration.
func New(c Config) Parts {
	l := limitsFor(c.BodyLimit)
	return Parts{
		Outer:    newOuter(c, l),
		Inner:    newInner(c, l),
		Clusters: newClusters(c),
		Process:  newProcess(c),
	}
}

func newClusters(c Config) Clusters {
	clusters := Clusters{Hop: hop(c.HopSocket), Service: service(c.Service, c.Replicas), Known: known(c)}
	own := resolver(c.Resolvers)
	for _, u := range c.upstreams() {
		cluster := upstreamCluster(u, c.TrustedCA)
		if c.ResolverPerName && !isIP(u.Host) {
			cluster.TypedDnsResolverConfig = own
		}
		clusters.Upstreams = append(clusters.Upstreams, cluster)
	}
	return clusters
}
