package parts

import (
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	internalv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/bootstrap/internal_listener/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

func newProcess(c Config) Process {
	p := Process{Overload: connectionLimit(), Runtime: patternLimit(), Resolver: resolver(c.Resolvers)}
	if c.HopSocket == "" {
		p.InternalListeners = extension("envoy.bootstrap.internal_listener", &internalv3.InternalListener{})
	}
	return p
}

// connectionLimit bounds the clients' connections of one Envoy. Without a bound Envoy
// logs a warning at every start.
func connectionLimit() *overloadv3.OverloadManager {
	return &overloadv3.OverloadManager{ResourceMonitors: []*overloadv3.ResourceMonitor{{
		Name: "envoy.resource_monitors.global_downstream_max_connections",
		ConfigType: &overloadv3.ResourceMonitor_TypedConfig{
			TypedConfig: Typed(&connectionsv3.DownstreamConnectionsConfig{MaxActiveDownstreamConnections: 100_000}),
		},
	}}}
}

// patternLimit permits regular expressions as long as the configuration's own check
// does; Envoy's default refuses all but short ones.
func patternLimit() *bootstrapv3.LayeredRuntime {
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
		Name: "semlb",
		LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: &structpb.Struct{Fields: map[string]*structpb.Value{
			"re2.max_program_size.error_level": structpb.NewNumberValue(1 << 20),
		}}},
	}}}
}
