package parts

import (
	"maps"
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"semlb/envoy"
)

// Names of Kong's response headers.
const (
	headerKongID   = "x-kong-request-id"
	headerServedBy = "x-kong-llm-model"
	// headerProxyLatency is the time in milliseconds until the attempt that answered
	// began, headerUpstreamLatency that from then until its answer began. Only the inner
	// hop knows whether a provider answered; Envoy adds neither header where the number
	// is unknown.
	headerProxyLatency    = "x-kong-proxy-latency"
	headerUpstreamLatency = "x-kong-upstream-latency"
)

func outerRoutes() *routev3.RouteConfiguration {
	return &routev3.RouteConfiguration{InternalOnlyHeaders: envoy.ReservedHeaders()}
}

func outerVirtualHost() *routev3.VirtualHost {
	return &routev3.VirtualHost{IncludeRequestAttemptCount: true}
}

// hopRoute sends a request to the hop. The external processor sets, per request, what
// is retried and how often.
func hopRoute() *routev3.Route {
	return &routev3.Route{
		ResponseHeadersToRemove: labels(),
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: envoy.HopCluster},
			// The whole has no timeout: attempts have their own, and a stream may be long.
			Timeout:     durationpb.New(0),
			IdleTimeout: durationpb.New(0),
			RetryPolicy: &routev3.RetryPolicy{
				RetryBackOff: noBackOff(),
			},
		}},
	}
}

// noBackOff is the shortest that Envoy accepts: the next attempt is at another target or
// on another connection, so there is nothing to wait for.
func noBackOff() *routev3.RetryPolicy_RetryBackOff {
	return &routev3.RetryPolicy_RetryBackOff{
		BaseInterval: durationpb.New(time.Millisecond),
		MaxInterval:  durationpb.New(time.Millisecond),
	}
}

// labels are the response headers with which the inner hop labels its answers. They end
// at the outer hop, and a provider's own copies in [fromProvider].
func labels() []string { return []string{envoy.HeaderRetry, envoy.FinalHeader, envoy.HeaderReplan} }

// kongHeaders are the response headers that Kong adds, and the request ID.
func kongHeaders() []*corev3.HeaderValueOption {
	return append(idHeaders(), setHeader(headerProxyLatency, "%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:ms)%"))
}

// headersOfCORS are the response headers of the plugin cors that only one may set.
func headersOfCORS() []string {
	names := slices.Sorted(maps.Keys(envoy.CORSHeaders()))
	return slices.DeleteFunc(names, func(name string) bool { return name == "vary" })
}

// corsHeaders are the response headers of the plugin cors, with the values that semlb has
// decided; none where it has not.
func corsHeaders() []*corev3.HeaderValueOption {
	var headers []*corev3.HeaderValueOption
	for _, name := range headersOfCORS() {
		headers = append(headers, setHeader(name, "%REQ("+envoy.CORSHeader(name)+")%"))
	}
	vary := setHeader("vary", "%REQ("+envoy.CORSHeader("vary")+")%")
	vary.AppendAction = corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD
	return append(headers, vary)
}
