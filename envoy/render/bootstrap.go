package render

import (
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"semlb/envoy"
	"semlb/envoy/parts"
)

// Options describe one Envoy.
type Options struct {
	// NodeID identifies it to the control plane.
	NodeID string
	// Admin is where its admin interface listens; the zero value turns it off.
	Admin parts.Endpoint
}

// newBootstrap is a bootstrap without resources.
func newBootstrap(p parts.Parts, o Options) *bootstrapv3.Bootstrap {
	b := &bootstrapv3.Bootstrap{
		Node:            &corev3.Node{Id: o.NodeID, Cluster: envoy.NodeCluster},
		OverloadManager: p.Process.Overload,
		LayeredRuntime:  p.Process.Runtime,

		TypedDnsResolverConfig: p.Process.Resolver,
		MemoryAllocatorManager: p.Process.Allocator,
	}
	if p.Process.InternalListeners != nil {
		b.BootstrapExtensions = []*corev3.TypedExtensionConfig{p.Process.InternalListeners}
	}
	if o.Admin != (parts.Endpoint{}) {
		b.Admin = &bootstrapv3.Admin{Address: o.Admin.Address()}
	}
	return b
}
