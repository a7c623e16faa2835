package parts

import (
	"slices"
	"strconv"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

// innerRoutes sends an attempt to the cluster that its rewrite names. There is a pair of
// routes for each idle timeout in use, because Envoy takes the timeout from the route,
// and a pair without a match for requests that a former configuration planned.
func innerRoutes(l limits, c Config) *routev3.RouteConfiguration {
	routes := unrewritten(l)
	for _, d := range slices.Compact(slices.Sorted(slices.Values(c.IdleTimeouts))) {
		match := exactHeader(envoy.HeaderIdle, strconv.FormatInt(d.Milliseconds(), 10))
		routes = append(routes, attemptRoutes(l, silenceOf(d, c), match)...)
	}
	routes = append(routes, attemptRoutes(l, silenceOf(defaultIdle, c))...)
	return &routev3.RouteConfiguration{
		Name: envoy.InnerListener,
		VirtualHosts: []*routev3.VirtualHost{{
			Name: "all", Domains: []string{"*"}, Routes: routes,
		}},
		// Only we set the last two; fromProvider removes the labels.
		ResponseHeadersToRemove: slices.Concat(ofProviders, []string{headerServedBy, envoy.UpstreamIDHeader}),
		ResponseHeadersToAdd: []*corev3.HeaderValueOption{
			setHeader(envoy.HeaderReplan, "%DYNAMIC_METADATA("+envoy.MetadataNamespace+":"+envoy.KeyReplan+")%"),
			setHeader(headerServedBy, servedBy),
			setHeader(envoy.UpstreamIDHeader, "%RESP(X-REQUEST-ID)%"),
			setHeader(headerUpstreamLatency, "%RESPONSE_DURATION%"),
		},
		RequestHeadersToRemove: envoy.Unforwarded(),
	}
}

// unrewritten are the routes of attempts that the inner role is to rewrite: to a cluster
// whose metadata the external processor gets. It has no host, so that nothing is sent if
// the rewrite is missing.
func unrewritten(l limits) []*routev3.Route {
	without := func(m *routev3.HeaderMatcher) *routev3.HeaderMatcher {
		m.InvertMatch = true
		return m
	}
	toKnown := func(m *routev3.HeaderMatcher) *routev3.Route {
		match := prefix("/")
		match.Headers = []*routev3.HeaderMatcher{without(present(envoy.HeaderCluster)), m}
		return &routev3.Route{Match: match, RequestBodyBufferLimit: wrapperspb.UInt64(l.innerRoute), Action: &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: envoy.KnownCluster},
		}}}
	}
	return []*routev3.Route{toKnown(without(present(envoy.HeaderFirst))), toKnown(without(exactHeader(envoy.HeaderAttempt, "1")))}
}

// servedBy is the model that answered. Errors name none: they may be those of a gateway before the model.
const servedBy = "%CEL(response.code >= 200 && response.code < 300 ? metadata.filter_metadata['" +
	envoy.MetadataNamespace + "']['" + keyServed + "'] : '')%"

// ofProviders are response headers that are about a provider's own host, or name the account
// that our credential is for. A client would apply the former to our host, and send one
// client's cookies of the shared account to all providers.
var ofProviders = []string{
	"set-cookie", "set-cookie2", "clear-site-data", "strict-transport-security", "alt-svc", "nel", "report-to",
	"openai-organization", "openai-project", "anthropic-organization-id",
}

// defaultIdle is the default of the plugin's read_timeout.
const defaultIdle = time.Minute

// attemptRoutes are a route for first attempts that the outer role rewrote, and one for
// all others.
func attemptRoutes(l limits, s silence, matches ...*routev3.HeaderMatcher) []*routev3.Route {
	first := append([]*routev3.HeaderMatcher{exactHeader(envoy.HeaderAttempt, "1"), present(envoy.HeaderFirst)}, matches...)
	return []*routev3.Route{
		attemptRoute(l, s, envoy.HeaderFirst, first),
		attemptRoute(l, s, envoy.HeaderCluster, matches),
	}
}

func attemptRoute(l limits, s silence, clusterHeader string, matches []*routev3.HeaderMatcher) *routev3.Route {
	match := prefix("/")
	match.Headers = matches
	return &routev3.Route{
		Match:                  match,
		RequestBodyBufferLimit: wrapperspb.UInt64(l.innerRoute),
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier: &routev3.RouteAction_ClusterHeader{ClusterHeader: clusterHeader},
			Timeout:          durationpb.New(0),
			IdleTimeout:      durationpb.New(s.stream),
			RetryPolicy:      oneAttempt(s),
		}},
	}
}

// oneAttempt sends a request once, and again only if the provider refused it unprocessed:
// with HTTP/2's REFUSED_STREAM, which is also what becomes of a request on a connection
// that the provider is closing (GOAWAY).
func oneAttempt(s silence) *routev3.RetryPolicy {
	p := &routev3.RetryPolicy{
		RetryOn:      "refused-stream",
		NumRetries:   wrapperspb.UInt32(1),
		RetryBackOff: noBackOff(),
	}
	if s.stream == 0 {
		p.PerTryIdleTimeout = durationpb.New(s.head)
	} else {
		p.PerTryTimeout = durationpb.New(s.head)
	}
	return p
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
