package parts

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"semlb/wire"
)

// kongRoutes turns Kong's routes into Envoy's, in Kong's order. They belong into one
// virtual host: among several, Envoy would choose by the domains alone, and compare paths
// and priorities only then. Like Kong, Envoy answers 404 where none matches, without
// calling the external processor.
func kongRoutes(routes []Route, clusters *corev3.Metadata, o Outer) []*routev3.Route {
	toHop := func(b branch, match *routev3.RouteMatch) *routev3.Route {
		r := proto.CloneOf(o.Route)
		r.Name, r.Match, r.ResponseHeadersToAdd, r.Metadata = b.Name, match, o.ResponseHeaders, clusters
		if b.CORS {
			r.ResponseHeadersToRemove = append(r.ResponseHeadersToRemove, o.CORSHeadersToRemove...)
			r.ResponseHeadersToAdd = slices.Concat(r.ResponseHeadersToAdd, o.CORSHeaders)
		}
		return r
	}
	var all []*routev3.Route
	for _, b := range branches(routes) {
		if b.PlainHTTPStatus == 0 {
			all = append(all, toHop(b, b.match()))
			continue
		}
		secure := b.match()
		secure.Headers = append(secure.Headers, overTLS())
		// The second route gets the rest of the branch: what came without TLS.
		all = append(all, toHop(b, secure), toHTTPS(b.Name, b.match(), b.PlainHTTPStatus))
	}
	return append(all, unmatched())
}

func (b branch) match() *routev3.RouteMatch {
	m := prefix("/")
	if pattern, ok := strings.CutPrefix(b.path, "~"); ok {
		// Kong's expressions are anchored at the start only.
		m.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: group(pattern) + ".*"}}
	} else if b.path != "" {
		m = prefix(normalPrefix(b.path))
	}
	if len(b.Hosts) > 0 {
		m.Headers = append(m.Headers, oneOf(":authority", b.Hosts, hostPattern))
	}
	if len(b.Methods) > 0 {
		m.Headers = append(m.Headers, oneOf(":method", b.Methods, regexp.QuoteMeta))
	}
	for _, name := range slices.Sorted(maps.Keys(b.Headers)) {
		m.Headers = append(m.Headers, oneOf(strings.ToLower(name), b.Headers[name], valuePattern))
	}
	return m
}

// normalPrefix is a prefix of paths in normal form, which are all that routes see.
func normalPrefix(path string) string {
	if normal, ok := wire.NormalPath(path); ok {
		return normal
	}
	return path // which no request has
}

// group keeps the alternatives of a pattern together.
func group(pattern string) string { return "(?:" + pattern + ")" }

var portSuffix = regexp.MustCompile(`:[0-9]+$`)

// hostPattern matches a host of Kong's. A Host header may have a port.
func hostPattern(host string) string {
	pattern := strings.Replace(regexp.QuoteMeta(host), `\*`, ".+", 1)
	if portSuffix.MatchString(host) {
		return pattern
	}
	return pattern + "(?::[0-9]+)?"
}

// valuePattern matches a value of a header. Kong's expressions match anywhere in it.
func valuePattern(value string) string {
	if pattern, isRegex := strings.CutPrefix(value, "~*"); isRegex {
		return ".*" + group(pattern) + ".*"
	}
	return regexp.QuoteMeta(value)
}

// oneOf matches a header that has one of the values. Like Kong, it ignores letter case.
func oneOf(name string, values []string, pattern func(string) string) *routev3.HeaderMatcher {
	alternatives := make([]string, len(values))
	for i, v := range values {
		alternatives[i] = group(pattern(v))
	}
	return &routev3.HeaderMatcher{Name: name, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{
			SafeRegex: &matcherv3.RegexMatcher{Regex: "(?i)" + strings.Join(alternatives, "|")},
		}},
	}}
}
