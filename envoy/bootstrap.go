package envoy

import (
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	internalv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/bootstrap/internal_listener/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// BootstrapOptions is what a bootstrap is made from.
type BootstrapOptions struct {
	// NodeID names this Envoy to the control plane.
	NodeID string
	// Service is where semlb's gRPC server listens, and Replicas where others do that
	// have the same configuration.
	Service  Endpoint
	Replicas []Endpoint
	// HopSocket is that of Config: with one, the extension for internal listeners is
	// not needed.
	HopSocket string
	// Admin is where Envoy's own admin interface listens; the zero value turns it
	// off.
	Admin Endpoint
}

// NodeCluster is the cluster that Envoys of semlb say they belong to.
const NodeCluster = "semlb"

// Bootstrap is the configuration an Envoy starts with: the control plane, and the
// extension that internal listeners need. Everything else comes over xDS.
func Bootstrap(o BootstrapOptions) *bootstrapv3.Bootstrap {
	b := bare(o)
	b.DynamicResources = &bootstrapv3.Bootstrap_DynamicResources{
		AdsConfig: &corev3.ApiConfigSource{
			ApiType:             corev3.ApiConfigSource_GRPC,
			TransportApiVersion: corev3.ApiVersion_V3,
			GrpcServices: []*corev3.GrpcService{{
				TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{
					ClusterName: serviceCluster,
					// Back within a second when semlb was away.
					RetryPolicy: &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
						BaseInterval: durationpb.New(100 * time.Millisecond),
						MaxInterval:  durationpb.New(500 * time.Millisecond),
					}},
				}},
			}},
		},
		CdsConfig: ads(),
		LdsConfig: ads(),
	}
	b.StaticResources = &bootstrapv3.Bootstrap_StaticResources{
		Clusters: []*clusterv3.Cluster{service(o.Service, o.Replicas...)},
	}
	return b
}

// StaticBootstrap is the whole configuration in one file, for an Envoy without a
// control plane. The resources are made with Config.Static.
func StaticBootstrap(o BootstrapOptions, r Resources) *bootstrapv3.Bootstrap {
	b := bare(o)
	b.StaticResources = &bootstrapv3.Bootstrap_StaticResources{Listeners: r.Listeners, Clusters: r.Clusters}
	return b
}

func bare(o BootstrapOptions) *bootstrapv3.Bootstrap {
	b := &bootstrapv3.Bootstrap{
		Node:            &corev3.Node{Id: o.NodeID, Cluster: NodeCluster},
		OverloadManager: connectionLimit(),
		LayeredRuntime:  patternLimit(),
	}
	if o.HopSocket == "" {
		b.BootstrapExtensions = []*corev3.TypedExtensionConfig{
			extension("envoy.bootstrap.internal_listener", &internalv3.InternalListener{}),
		}
	}
	if o.Admin != (Endpoint{}) {
		b.Admin = &bootstrapv3.Admin{Address: o.Admin.address()}
	}
	return b
}

// connectionLimit bounds the clients' connections of one Envoy; without a bound
// Envoy warns at every start.
func connectionLimit() *overloadv3.OverloadManager {
	return &overloadv3.OverloadManager{ResourceMonitors: []*overloadv3.ResourceMonitor{{
		Name: "envoy.resource_monitors.global_downstream_max_connections",
		ConfigType: &overloadv3.ResourceMonitor_TypedConfig{
			TypedConfig: typed(&connectionsv3.DownstreamConnectionsConfig{MaxActiveDownstreamConnections: 100_000}),
		},
	}}}
}

// patternLimit lets regular expressions be as long as the configuration's own check
// allows; Envoy's default refuses all but short ones.
func patternLimit() *bootstrapv3.LayeredRuntime {
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
		Name: "semlb",
		LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: &structpb.Struct{Fields: map[string]*structpb.Value{
			"re2.max_program_size.error_level": structpb.NewNumberValue(1 << 20),
		}}},
	}}}
}

func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}
