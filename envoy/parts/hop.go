package parts

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	bufferv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/buffer/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

// The cluster closes an idle connection of the hop, long before the listener would: if
// the listener closed it, a request could be sent on a connection that is just being
// closed, and failures of the hop itself are not retried. For the same reason hopIdle is
// far below [envoy.DrainTime]: a replaced listener has no idle connection when it ends.
const (
	hopIdle   = 15 * time.Second
	innerIdle = time.Hour
)

// hopConnect is how long a connection of the hop may take. Envoy connects to itself, so it is
// late only where its threads are: on a machine with a load of 16 that took more than a
// second, and requests failed as if it were the provider's fault.
const hopConnect = time.Minute

// hop is the cluster of the inner listener, which is internal, or listens on a socket.
// Every attempt of every request passes through it.
func hop(socket string) *clusterv3.Cluster {
	address := pipeAddress(socket)
	if socket == "" {
		address = &corev3.Address{Address: &corev3.Address_EnvoyInternalAddress{
			EnvoyInternalAddress: &corev3.EnvoyInternalAddress{
				AddressNameSpecifier: &corev3.EnvoyInternalAddress_ServerListenerName{ServerListenerName: envoy.InnerListener},
			},
		}}
	}
	common := innerHead.ofResponses()
	common.IdleTimeout = durationpb.New(hopIdle)
	return &clusterv3.Cluster{
		Name:                          envoy.HopCluster,
		ClusterDiscoveryType:          &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		ConnectTimeout:                durationpb.New(hopConnect),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(relayBuffer),
		CircuitBreakers:               unlimitedBreakers(),
		LoadAssignment:                loadAssignment(envoy.HopCluster, address),
		TypedExtensionProtocolOptions: httpOptions(&httpv3.HttpProtocolOptions{
			CommonHttpProtocolOptions: common,
			UpstreamProtocolOptions:   onlyHTTP1(),
			HttpFilters:               repeats(),
		}),
	}
}

func onlyHTTP1() *httpv3.HttpProtocolOptions_ExplicitHttpConfig_ {
	return &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
		ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
			ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
				HttpProtocolOptions: &corev3.Http1ProtocolOptions{},
			},
		},
	}
}

// hopBuffer reads an attempt's body to its end before it is rewritten and sent. On Envoy
// 1.36 a rewrite is otherwise bounded by the connection's limit, which would then bound
// what is kept of an answer too. A first attempt that was rewritten already needs it as
// well: an answer while the outer hop still sends the body costs the next attempts their
// retries on 1.36, and over a socket it is lost itself, since one that is closed with unread
// data resets its peer (unix(7)).
func hopBuffer(l limits) *hcmv3.HttpFilter { return httpFilter(bufferName, wholeBody(l.innerRoute)) }

const bufferName = "envoy.filters.http.buffer"

// wholeBody reads a body to its end. While it does, its limit in bytes takes the place of
// the connection's.
func wholeBody(limit uint64) *bufferv3.Buffer {
	return &bufferv3.Buffer{MaxRequestBytes: wrapperspb.UInt32(uint32(limit))}
}

// hopAddress is where the inner listener listens. Only Envoy's own user may connect: the
// inner hop trusts the headers that name a request's target.
func hopAddress(socket string) *corev3.Address {
	const ownerOnly = 0o600
	a := pipeAddress(socket)
	a.GetPipe().Mode = ownerOnly
	return a
}
