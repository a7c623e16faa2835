package parts

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func newOuter(c Config, l limits) Outer {
	o := Outer{
		Address:          socketAddress(c.ListenHost, c.ListenPort),
		Listener:         &listenerv3.Listener{PerConnectionBufferLimitBytes: wrapperspb.UInt32(clientBuffer)},
		Manager:          outerManager(clientWindow),
		ForeignListener:  &listenerv3.Listener{PerConnectionBufferLimitBytes: wrapperspb.UInt32(l.ceiling)},
		ForeignManager:   outerManager(l.ceiling),
		ForeignRoute:     hopRoute(),
		RequestID:        keptRequestID(),
		Names:            withoutOwnNames(),
		Scheme:           forwardedScheme(),
		Replies:          outerReplies(),
		AccessLog:        requestLog(),
		Paths:            normalPaths(),
		Uploads:          uploads(c, l),
		Processor:        outerProcessor(c),
		ForeignProcessor: foreignProcessor(c),
		Router:           routerFilter(),
		Routes:           outerRoutes(),
		VirtualHost:      outerVirtualHost(),
		Route:            hopRoute(),
		ResponseHeaders:  kongHeaders(),
		CORSHeaders:      corsHeaders(),

		CORSHeadersToRemove: headersOfCORS(),
	}
	o.ForeignRoute.RequestBodyBufferLimit = wrapperspb.UInt64(l.outerRoute)
	o.KongRoutes = kongRoutes(c.Routes, c.clusterMetadata(), o)
	return o
}

func outerManager(window uint32) *hcmv3.HttpConnectionManager {
	manager := &hcmv3.HttpConnectionManager{
		// All clients are external, whatever their address: 192.0.2.0 is reserved for
		// documentation (RFC 5737). Envoy's own request headers are dropped then.
		UseRemoteAddress: wrapperspb.Bool(true),
		InternalAddressConfig: &hcmv3.HttpConnectionManager_InternalAddressConfig{
			CidrRanges: []*corev3.CidrRange{{AddressPrefix: "192.0.2.0", PrefixLen: wrapperspb.UInt32(32)}},
		},
		// nginx speaks HTTP/1.0 to what is behind it, unless it is configured otherwise. A
		// request without a host matches the routes without hosts.
		HttpProtocolOptions: &corev3.Http1ProtocolOptions{
			AcceptHttp_10: true, DefaultHostForHttp_10: "no-host.invalid",
		},
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			InitialStreamWindowSize: wrapperspb.UInt32(window),
			MaxConcurrentStreams:    wrapperspb.UInt32(maxStreams),
			// A bad head ends its own request only, not all those of its connection, which may
			// be of a proxy with many clients.
			OverrideStreamErrorOnInvalidHttpMessage: wrapperspb.Bool(true),
		},
	}
	outerHead.ofRequests(manager)
	return manager
}
