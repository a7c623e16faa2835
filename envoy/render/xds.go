package render

import (
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"semlb/envoy/parts"
)

// Resources is the configuration that our own Envoy gets over xDS.
type Resources struct {
	Listeners []*listenerv3.Listener
	Routes    []*routev3.RouteConfiguration
	Clusters  []*clusterv3.Cluster
}

// NewResources makes the two listeners, their routes, the hop's cluster, and one cluster
// for each distinct upstream, sorted by name. The cluster of semlb's own servers is part
// of the [Bootstrap].
func NewResources(p parts.Parts) Resources {
	return Resources{
		Listeners: []*listenerv3.Listener{outerListener(p.Outer, overRDS), innerListener(p.Inner, overRDS)},
		Routes:    []*routev3.RouteConfiguration{outerRoutes(p.Outer), p.Inner.Routes},
		Clusters:  append([]*clusterv3.Cluster{p.Clusters.Hop, p.Clusters.Known}, p.Clusters.Upstreams...),
	}
}

// Bootstrap is the configuration with which an Envoy starts that gets its [Resources]
// over xDS. Of the parts it has Process and Clusters.Service only, so it is the same for
// every configuration of targets.
func Bootstrap(p parts.Parts, o Options) *bootstrapv3.Bootstrap {
	b := newBootstrap(p, o)
	b.DynamicResources = &bootstrapv3.Bootstrap_DynamicResources{
		AdsConfig: &corev3.ApiConfigSource{
			ApiType:             corev3.ApiConfigSource_GRPC,
			TransportApiVersion: corev3.ApiVersion_V3,
			GrpcServices:        []*corev3.GrpcService{adsService(p.Clusters.Service.Name)},
		},
		CdsConfig: ads(),
		LdsConfig: ads(),
	}
	b.StaticResources = &bootstrapv3.Bootstrap_StaticResources{Clusters: []*clusterv3.Cluster{p.Clusters.Service}}
	return b
}

// adsService reconnects within a second after semlb was unavailable.
func adsService(cluster string) *corev3.GrpcService {
	return &corev3.GrpcService{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{
		ClusterName: cluster,
		RetryPolicy: &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
			BaseInterval: durationpb.New(100 * time.Millisecond),
			MaxInterval:  durationpb.New(500 * time.Millisecond),
		}},
	}}}
}

func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}
