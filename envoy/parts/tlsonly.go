package parts

import (
	"net/http"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"semlb/envoy"
)

// forwardedScheme keeps X-Forwarded-Proto for [overTLS]. The listener has no TLS of its
// own: the proxy that terminates TLS in front of it sets that header, and Envoy replaces
// it before it selects a route. A client that sets it without TLS gets what it would get
// over TLS; only its own request was sent in the clear.
func forwardedScheme() *corev3.TypedExtensionConfig {
	return early(remove(envoy.SchemeHeader), set(envoy.SchemeHeader, "%REQ(X-FORWARDED-PROTO)%"))
}

// overTLS matches requests that came over TLS.
func overTLS() *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: envoy.SchemeHeader, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{
			MatchPattern: &matcherv3.StringMatcher_Exact{Exact: "https"}, IgnoreCase: true,
		},
	}}
}

// toHTTPS answers a request without TLS to a route that needs it: with 426, or with a
// redirect.
func toHTTPS(name string, match *routev3.RouteMatch, status int) *routev3.Route {
	r := answered(name, match, http.StatusUpgradeRequired, httpsRequired)
	if code, ok := redirects[status]; ok {
		r.ResponseHeadersToAdd = idHeaders()
		r.Action = &routev3.Route_Redirect{Redirect: &routev3.RedirectAction{
			SchemeRewriteSpecifier: &routev3.RedirectAction_HttpsRedirect{HttpsRedirect: true},
			ResponseCode:           code,
		}}
	}
	return r
}

// redirects are the statuses that redirect, as Envoy has them.
var redirects = map[int]routev3.RedirectAction_RedirectResponseCode{
	http.StatusMovedPermanently:  routev3.RedirectAction_MOVED_PERMANENTLY,
	http.StatusFound:             routev3.RedirectAction_FOUND,
	http.StatusTemporaryRedirect: routev3.RedirectAction_TEMPORARY_REDIRECT,
	http.StatusPermanentRedirect: routev3.RedirectAction_PERMANENT_REDIRECT,
}
