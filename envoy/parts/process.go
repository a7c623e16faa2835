package parts

import (
	"cmp"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	internalv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/bootstrap/internal_listener/v3"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func newProcess(c Config) Process {
	memory := cmp.Or(c.Memory, DefaultMemory)
	p := Process{
		Overload: overload(memory), Allocator: releases(memory), Runtime: patternLimit(), Resolver: resolver(c.Resolvers),
	}
	if c.HopSocket == "" {
		p.InternalListeners = extension("envoy.bootstrap.internal_listener", &internalv3.InternalListener{
			BufferSizeKb: wrapperspb.UInt32(relayBuffer >> 10),
		})
	}
	return p
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
