package render

import (
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	"semlb/envoy/parts"
)

// Static is the whole configuration of our own Envoy, for one that has no control plane.
func Static(p parts.Parts, o Options) *bootstrapv3.Bootstrap {
	b := newBootstrap(p, o)
	b.StaticResources = &bootstrapv3.Bootstrap_StaticResources{
		Listeners: []*listenerv3.Listener{outerListener(p.Outer, inPlace), innerListener(p.Inner, inPlace)},
		Clusters:  append([]*clusterv3.Cluster{p.Clusters.Hop, p.Clusters.Service, p.Clusters.Known}, p.Clusters.Upstreams...),
	}
	return b
}
