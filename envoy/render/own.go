package render

import (
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
	"semlb/envoy/parts"
)

// headTimeout is how long the head of a request may take. The idle timeout of a stream, which
// ends with the head, since the route has none, is shorter while memory is short.
const headTimeout = time.Minute

// outerListener is our own listener for clients: the outer hop, and the settings that a
// foreign listener has of its own.
func outerListener(o parts.Outer, by routing) *listenerv3.Listener {
	manager := &hcmv3.HttpConnectionManager{
		StatPrefix:                    envoy.OuterListener,
		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{o.Names, o.Scheme},
		NormalizePath:                 wrapperspb.Bool(false), // Paths does it, as Kong does
		RequestHeadersTimeout:         durationpb.New(headTimeout),
		StreamIdleTimeout:             durationpb.New(headTimeout),
		RequestTimeout:                durationpb.New(5 * time.Minute),
		// Time for an early answer to reach a client that still sends. More would delay the
		// end of a stream that broke off.
		DelayedCloseTimeout: durationpb.New(250 * time.Millisecond),
		// A replaced listener has no idle connection left when its drain time is over.
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{IdleTimeout: durationpb.New(envoy.DrainTime / 2)},
		LocalReplyConfig:          o.Replies,
		AccessLog:                 o.AccessLog,
		HttpFilters:               slices.Concat([]*hcmv3.HttpFilter{o.Paths}, o.Uploads, []*hcmv3.HttpFilter{o.Processor, o.Router}),
	}
	proto.Merge(manager, o.Manager)
	proto.Merge(manager, o.RequestID)
	by(manager, outerRoutes(o))
	listener := &listenerv3.Listener{
		Name: envoy.OuterListener,
		// Draining stops inbound listeners only.
		TrafficDirection: corev3.TrafficDirection_INBOUND,
		Address:          o.Address,
		FilterChains:     []*listenerv3.FilterChain{filterChain(manager)},
	}
	proto.Merge(listener, o.Listener)
	return listener
}

// outerRoutes are the configuration's routes, all in one virtual host.
func outerRoutes(o parts.Outer) *routev3.RouteConfiguration {
	host := &routev3.VirtualHost{Name: "*", Domains: []string{"*"}, Routes: o.KongRoutes}
	proto.Merge(host, o.VirtualHost)
	routes := &routev3.RouteConfiguration{Name: envoy.OuterListener, VirtualHosts: []*routev3.VirtualHost{host}}
	proto.Merge(routes, o.Routes)
	return routes
}

// innerListener is the listener that makes attempts. It is the same in every Envoy.
func innerListener(i parts.Inner, by routing) *listenerv3.Listener {
	manager := proto.CloneOf(i.Manager)
	manager.LocalReplyConfig = i.Replies
	manager.AccessLog = i.AccessLog
	manager.HttpFilters = i.Filters()
	by(manager, i.Routes)
	listener := proto.CloneOf(i.Listener)
	listener.FilterChains = []*listenerv3.FilterChain{filterChain(manager)}
	return listener
}

// routing gives a connection manager its routes.
type routing func(*hcmv3.HttpConnectionManager, *routev3.RouteConfiguration)

// inPlace puts the routes into the listener.
func inPlace(m *hcmv3.HttpConnectionManager, routes *routev3.RouteConfiguration) {
	m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: routes}
}

// overRDS names the routes, so that a change of routes does not drain connections.
func overRDS(m *hcmv3.HttpConnectionManager, routes *routev3.RouteConfiguration) {
	m.RouteSpecifier = &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{ConfigSource: ads(), RouteConfigName: routes.Name}}
}

func filterChain(m *hcmv3.HttpConnectionManager) *listenerv3.FilterChain {
	return &listenerv3.FilterChain{Filters: []*listenerv3.Filter{{
		Name:       "envoy.filters.network.http_connection_manager",
		ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: parts.Typed(m)},
	}}}
}
