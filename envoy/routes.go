package envoy

import (
	"slices"
	"strconv"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// outerRouteConfig sends every request that a route takes to the hop. What is
// retried, and how often, the external processor says per request.
func outerRouteConfig(l limits, routes []Route) *routev3.RouteConfiguration {
	return &routev3.RouteConfiguration{
		Name:                outerRoutes,
		InternalOnlyHeaders: slices.Clone(foreignHeaders),
		VirtualHosts: []*routev3.VirtualHost{{
			Name: "*", Domains: []string{"*"}, IncludeRequestAttemptCount: true,
			Routes: kongRoutes(routes, func(name string, match *routev3.RouteMatch) *routev3.Route {
				return hopRoute(l, name, match)
			}),
		}},
	}
}

func hopRoute(l limits, name string, match *routev3.RouteMatch) *routev3.Route {
	return &routev3.Route{
		Name:                    name,
		Match:                   match,
		RequestBodyBufferLimit:  wrapperspb.UInt64(l.outerRoute),
		ResponseHeadersToRemove: []string{HeaderRetry, headerRateLimited},
		ResponseHeadersToAdd: []*corev3.HeaderValueOption{
			setHeader("x-kong-request-id", "%REQ(X-REQUEST-ID)%"),
			setHeader(headerProxyLatency, "%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:ms)%"),
		},
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: hopCluster},
			// No limit on the whole: attempts have their own, and a stream may be long.
			Timeout:     durationpb.New(0),
			IdleTimeout: durationpb.New(0),
			RetryPolicy: &routev3.RetryPolicy{
				// Another target is tried: there is nothing to wait for.
				RetryBackOff: &routev3.RetryPolicy_RetryBackOff{
					BaseInterval: durationpb.New(time.Millisecond),
					MaxInterval:  durationpb.New(time.Millisecond),
				},
			},
		}},
	}
}

// innerRouteConfig sends an attempt to the cluster that its rewrite names. There
// is a pair of routes for each idle timeout in use, because Envoy takes that one
// from the route, and a pair without a match for requests that were planned with
// a configuration that is gone.
func innerRouteConfig(l limits, idle []time.Duration) *routev3.RouteConfiguration {
	var routes []*routev3.Route
	for _, d := range idle {
		match := exactHeader(HeaderIdle, strconv.FormatInt(d.Milliseconds(), 10))
		routes = append(routes, attemptRoutes(l, d, match)...)
	}
	routes = append(routes, attemptRoutes(l, defaultIdle)...)
	return &routev3.RouteConfiguration{
		Name: innerRoutes,
		VirtualHosts: []*routev3.VirtualHost{{
			Name: "all", Domains: []string{"*"}, Routes: routes,
		}},
		// A provider's own copies must not steer the outer hop.
		ResponseHeadersToRemove: []string{HeaderRetry, headerRateLimited},
		ResponseHeadersToAdd: []*corev3.HeaderValueOption{
			setHeader(headerServedBy, "%DYNAMIC_METADATA("+metadataSpace+":"+metadataServed+")%"),
			setHeader(headerUpstreamLatency, "%RESPONSE_DURATION%"),
		},
		RequestHeadersToRemove: slices.Concat([]string{
			"x-envoy-external-address", "x-envoy-expected-rq-timeout-ms", "x-envoy-internal", headerRateLimited, headerScheme,
			"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port",
		}, foreignHeaders, metadataKeys),
	}
}

// defaultIdle is the plugin's default read_timeout.
const defaultIdle = time.Minute

func attemptRoutes(l limits, idle time.Duration, matches ...*routev3.HeaderMatcher) []*routev3.Route {
	route := func(clusterHeader string, matches []*routev3.HeaderMatcher) *routev3.Route {
		match := prefix("/")
		match.Headers = matches
		return &routev3.Route{
			Match:                  match,
			RequestBodyBufferLimit: wrapperspb.UInt64(l.innerRoute),
			Action: &routev3.Route_Route{Route: &routev3.RouteAction{
				ClusterSpecifier: &routev3.RouteAction_ClusterHeader{ClusterHeader: clusterHeader},
				Timeout:          durationpb.New(0),
				IdleTimeout:      durationpb.New(0),
				// No retry_on: one attempt. Its timer runs before the first byte and
				// between any two.
				RetryPolicy: &routev3.RetryPolicy{PerTryIdleTimeout: durationpb.New(idle)},
			}},
		}
	}
	first := append([]*routev3.HeaderMatcher{exactHeader(headerAttempt, "1"), present(HeaderFirst)}, matches...)
	return []*routev3.Route{route(HeaderFirst, first), route(HeaderCluster, matches)}
}

func prefix(p string) *routev3.RouteMatch {
	return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: p}}
}

func exactHeader(name, value string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: name, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: value}},
	}}
}

func present(name string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: name, HeaderMatchSpecifier: &routev3.HeaderMatcher_PresentMatch{PresentMatch: true}}
}

func setHeader(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, Value: value},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}
