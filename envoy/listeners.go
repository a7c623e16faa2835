package envoy

import (
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// outer is the listener that clients connect to.
func outer(c Config) *listenerv3.Listener {
	l := limitsFor(c.BodyLimit)
	manager := &hcmv3.HttpConnectionManager{
		StatPrefix: "semlb_outer",
		// Every client is a stranger: Envoy's own request headers are dropped.
		UseRemoteAddress: wrapperspb.Bool(true),
		InternalAddressConfig: &hcmv3.HttpConnectionManager_InternalAddressConfig{
			CidrRanges: []*corev3.CidrRange{{AddressPrefix: "192.0.2.0", PrefixLen: wrapperspb.UInt32(32)}},
		},
		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{forwardedScheme()},
		NormalizePath:                 wrapperspb.Bool(true),
		RequestHeadersTimeout:         durationpb.New(time.Minute),
		RequestTimeout:                durationpb.New(5 * time.Minute),
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			InitialStreamWindowSize: wrapperspb.UInt32(l.window),
		},
		// Time for an early answer to reach a client that still sends; longer would hold
		// back the end of a stream that broke off.
		DelayedCloseTimeout: durationpb.New(250 * time.Millisecond),
		LocalReplyConfig:    outerReplies(),
		AccessLog:           requestLog(),
		HttpFilters: append(c.Credentials.filters(),
			httpFilter(extProcName, outerProcessor(c.messageTimeout())), terminal()),
	}
	// A listener that was replaced has no idle connection left when it goes.
	outerHead().ofRequests(manager, DrainTime/2)
	routed(manager, c.Static, outerRouteConfig(l, c.Routes))
	return &listenerv3.Listener{
		Name: outerListener,
		// Draining stops the inbound listeners only.
		TrafficDirection:              corev3.TrafficDirection_INBOUND,
		Address:                       socketAddress(c.ListenHost, c.ListenPort),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(l.outerConnection),
		FilterChains:                  []*listenerv3.FilterChain{managed(manager)},
	}
}

// inner is the listener that makes one attempt. Only this Envoy can reach it, or
// with a socket its user.
func inner(c Config) *listenerv3.Listener {
	l := limitsFor(c.BodyLimit)
	manager := &hcmv3.HttpConnectionManager{
		StatPrefix: "semlb_inner",
		CodecType:  hcmv3.HttpConnectionManager_HTTP1,
		// The provider's, not ours.
		ServerHeaderTransformation: hcmv3.HttpConnectionManager_PASS_THROUGH,
		// The outer hop made the request ID; a new one would lose the trace.
		GenerateRequestId: wrapperspb.Bool(false),
		StreamIdleTimeout: durationpb.New(0),
		// The hop is HTTP/1, which carries no scheme, and providers on HTTP/2 get one.
		SchemeHeaderTransformation: &corev3.SchemeHeaderTransformation{MatchUpstream: true},
		// In memory there is no peer to wait for; the default would hold back a broken
		// stream's end for a second.
		DelayedCloseTimeout: durationpb.New(0),
		LocalReplyConfig:    innerReplies(),
		AccessLog:           attemptLog(),
		AccessLogOptions:    attemptLogOptions(),
		HttpFilters:         []*hcmv3.HttpFilter{attemptMetadata(), gatedProcessor(c.messageTimeout()), planMetadata()},
	}
	if c.HopSocket != "" {
		manager.HttpFilters = append(manager.HttpFilters, wholeBody(l))
	}
	manager.HttpFilters = append(manager.HttpFilters, observers()...)
	manager.HttpFilters = append(manager.HttpFilters, terminal())
	innerHead().ofRequests(manager, innerIdle)
	routed(manager, c.Static, innerRouteConfig(l, c.IdleTimeouts))
	listener := &listenerv3.Listener{
		Name:                          innerListener,
		TrafficDirection:              corev3.TrafficDirection_OUTBOUND,
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(l.innerConnection),
		FilterChains:                  []*listenerv3.FilterChain{managed(manager)},
	}
	if c.HopSocket != "" {
		listener.Address = hopAddress(c.HopSocket)
	} else {
		listener.ListenerSpecifier = &listenerv3.Listener_InternalListener{InternalListener: &listenerv3.Listener_InternalListenerConfig{}}
	}
	return listener
}

// routed gives a connection manager its routes: in place, or by name over xDS, so
// that a change of routes does not drain connections.
func routed(m *hcmv3.HttpConnectionManager, static bool, routes *routev3.RouteConfiguration) {
	if static {
		m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: routes}
		return
	}
	m.RouteSpecifier = &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{ConfigSource: ads(), RouteConfigName: routes.Name}}
}

func managed(m *hcmv3.HttpConnectionManager) *listenerv3.FilterChain {
	return &listenerv3.FilterChain{Filters: []*listenerv3.Filter{{
		Name:       "envoy.filters.network.http_connection_manager",
		ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: typed(m)},
	}}}
}
