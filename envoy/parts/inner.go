package parts

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

func newInner(c Config, l limits) Inner {
	return Inner{
		Listener:        innerListener(c.HopSocket),
		Manager:         innerManager(),
		Replies:         innerReplies(),
		AccessLog:       attemptLog(),
		AttemptMetadata: attemptMetadata(),
		Buffer:          hopBuffer(l),
		Processor:       innerProcessor(c),
		PlanMetadata:    planMetadata(),
		Connection:      ownConnection(),
		Observers:       observers(),
		OddAnswers:      oddAnswers(),
		Router:          routerFilter(fromProvider()...),
		Routes:          innerRoutes(l, c),
	}
}

// innerListener is reached by this Envoy only, or over a socket by its user only.
func innerListener(socket string) *listenerv3.Listener {
	listener := &listenerv3.Listener{
		Name:                          envoy.InnerListener,
		TrafficDirection:              corev3.TrafficDirection_OUTBOUND,
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(relayBuffer),
		// An attempt belongs to a request that the outer hop has accepted.
		BypassOverloadManager: true,
		IgnoreGlobalConnLimit: true,
	}
	if socket == "" {
		listener.ListenerSpecifier = &listenerv3.Listener_InternalListener{InternalListener: &listenerv3.Listener_InternalListenerConfig{}}
		return listener
	}
	listener.Address = hopAddress(socket)
	return listener
}

func innerManager() *hcmv3.HttpConnectionManager {
	manager := &hcmv3.HttpConnectionManager{
		StatPrefix: envoy.InnerListener,
		CodecType:  hcmv3.HttpConnectionManager_HTTP1,
		// Clients get the provider's Server header.
		ServerHeaderTransformation: hcmv3.HttpConnectionManager_PASS_THROUGH,
		// The outer hop made the request ID; a new one would lose the trace.
		GenerateRequestId: wrapperspb.Bool(false),
		StreamIdleTimeout: durationpb.New(0),
		// The hop is HTTP/1, which carries no scheme, but providers on HTTP/2 need one.
		SchemeHeaderTransformation: &corev3.SchemeHeaderTransformation{MatchUpstream: true},
		// In memory there is no peer to wait for; the default would delay the end of a
		// broken stream by a second.
		DelayedCloseTimeout: durationpb.New(0),
		AccessLogOptions:    attemptLogOptions(),

		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{withoutEnvoys()},
	}
	innerHead.ofRequests(manager)
	manager.CommonHttpProtocolOptions.IdleTimeout = durationpb.New(innerIdle)
	return manager
}
