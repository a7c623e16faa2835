package envoy

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// kongRoutes turns Kong's routes into Envoy's, in Kong's order. All are in one virtual
// host, because Envoy would choose among several by their domains alone, and only then
// look at paths and priorities. What matches none is answered 404, as Kong does,
// without asking the external processor.
func kongRoutes(routes []Route, action func(name string, match *routev3.RouteMatch) *routev3.Route) []*routev3.Route {
	var all []*routev3.Route
	for _, b := range branches(routes) {
		if b.PlainHTTPStatus == 0 {
			all = append(all, action(b.Name, b.match()))
			continue
		}
		secure := b.match()
		secure.Headers = append(secure.Headers, overTLS())
		// What is left of the branch did not come over TLS.
		all = append(all, action(b.Name, secure), toHTTPS(b.Name, b.match(), b.PlainHTTPStatus))
	}
	return append(all, unmatched())
}

func (b branch) match() *routev3.RouteMatch {
	m := prefix("/")
	if pattern, ok := strings.CutPrefix(b.path, "~"); ok {
		// Kong's expressions are anchored at the start only.
		m.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: group(pattern) + ".*"}}
	} else if b.path != "" {
		m = prefix(b.path)
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

// valuePattern matches a value of a header. Kong searches with its expressions.
func valuePattern(value string) string {
	if pattern, isRegex := strings.CutPrefix(value, "~*"); isRegex {
		return ".*" + group(pattern) + ".*"
	}
	return regexp.QuoteMeta(value)
}

// oneOf matches a header that has one of the values. Kong compares them without
// regard to letter case.
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
