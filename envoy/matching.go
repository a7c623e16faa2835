package envoy

import (
	"cmp"
	"maps"
	"math/bits"
	"regexp"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// Route is a Kong route: which requests it takes. An empty list takes any.
type Route struct {
	// Name reaches the external processor as xds.route_name.
	Name string
	// Hosts are names, without a port; one may start or end with "*.", or ".*".
	Hosts []string
	// Paths are prefixes, or regular expressions behind "~", which match from the
	// start of the path.
	Paths   []string
	Methods []string
	// Headers must each have one of their values; a value behind "~*" is a regular
	// expression.
	Headers map[string][]string
	// RegexPriority orders routes with regular expressions, highest first.
	RegexPriority int
}

// branch is a Kong route with one of its paths.
type branch struct {
	*Route
	path string
	// order is the place of the route in the configuration.
	order int
}

func branches(routes []Route) []branch {
	var all []branch
	for i := range routes {
		r := &routes[i]
		if len(r.Paths) == 0 {
			all = append(all, branch{r, "", i})
		}
		for _, p := range r.Paths {
			all = append(all, branch{r, p, i})
		}
	}
	slices.SortStableFunc(all, precedence)
	return all
}

// precedence orders branches as Kong's traditional router does: those that ask for
// more kinds of things first, then the kinds themselves (host, headers, path,
// method), plain hosts before wildcards, regular expressions before prefixes, more
// headers, the priority of regular expressions, longer paths, and the order of the
// configuration.
func precedence(a, b branch) int {
	return cmp.Or(
		cmp.Compare(bits.OnesCount(b.kinds()), bits.OnesCount(a.kinds())),
		cmp.Compare(b.kinds(), a.kinds()),
		cmp.Compare(b.plainness(), a.plainness()),
		cmp.Compare(len(b.Headers), len(a.Headers)),
		cmp.Compare(b.regexPriority(), a.regexPriority()),
		cmp.Compare(len(b.path), len(a.path)),
		cmp.Compare(a.order, b.order),
	)
}

// kinds has a bit for each kind of thing that a branch asks for, the weightiest
// highest.
func (b branch) kinds() uint {
	var k uint
	for _, asked := range []bool{len(b.Hosts) > 0, len(b.Headers) > 0, b.path != "", len(b.Methods) > 0} {
		k <<= 1
		if asked {
			k |= 1
		}
	}
	return k
}

func (b branch) plainness() int {
	n := 0
	if len(b.Hosts) > 0 && !slices.ContainsFunc(b.Hosts, isWildcard) {
		n += 2
	}
	if b.isRegex() {
		n++
	}
	return n
}

func (b branch) isRegex() bool { return strings.HasPrefix(b.path, "~") }

func (b branch) regexPriority() int {
	if !b.isRegex() {
		return 0
	}
	return b.RegexPriority
}

func isWildcard(host string) bool { return strings.Contains(host, "*") }

// virtualHosts turns Kong's routes into Envoy's: a virtual host for each host that
// a route names, and one for all others. Each holds every route that its requests
// can match, in Kong's order. What matches none is answered 404, as Kong does,
// without asking the external processor.
func virtualHosts(routes []Route, action func(name string, match *routev3.RouteMatch) *routev3.Route) []*routev3.VirtualHost {
	if len(routes) == 0 {
		return []*routev3.VirtualHost{virtualHost("*", []*routev3.Route{action("", prefix("/"))})}
	}
	all := branches(routes)
	hosts := []string{"*"}
	for _, r := range routes {
		hosts = append(hosts, r.Hosts...)
	}
	slices.Sort(hosts)
	var out []*routev3.VirtualHost
	for _, host := range slices.Compact(hosts) {
		var taken []*routev3.Route
		for _, b := range all {
			if len(b.Hosts) == 0 || slices.ContainsFunc(b.Hosts, func(h string) bool { return covers(h, host) }) {
				taken = append(taken, action(b.Name, b.match()))
			}
		}
		out = append(out, virtualHost(host, append(taken, unmatched())))
	}
	return out
}

// covers says whether a route's host takes every request of a virtual host.
func covers(host, virtual string) bool {
	if host == virtual {
		return true
	}
	if suffix, ok := strings.CutPrefix(host, "*"); ok {
		return strings.HasSuffix(virtual, suffix)
	}
	if start, ok := strings.CutSuffix(host, "*"); ok {
		return strings.HasPrefix(virtual, start)
	}
	return false
}

func virtualHost(host string, routes []*routev3.Route) *routev3.VirtualHost {
	return &routev3.VirtualHost{
		Name: host, Domains: domains(host), IncludeRequestAttemptCount: true, Routes: routes,
	}
}

// domains are Envoy's patterns for a host. Its Host headers may have a port.
func domains(host string) []string {
	if isWildcard(host) {
		return []string{host}
	}
	return []string{host, host + ":*"}
}

func (b branch) match() *routev3.RouteMatch {
	m := prefix("/")
	if pattern, ok := strings.CutPrefix(b.path, "~"); ok {
		// Kong's expressions are anchored at the start only.
		m.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: goNames(pattern) + ".*"}}
	} else if b.path != "" {
		m = prefix(b.path)
	}
	if len(b.Methods) > 0 {
		m.Headers = append(m.Headers, oneOf(":method", b.Methods))
	}
	for _, name := range slices.Sorted(maps.Keys(b.Headers)) {
		m.Headers = append(m.Headers, oneOf(strings.ToLower(name), b.Headers[name]))
	}
	return m
}

// goNames writes PCRE's named groups as RE2 has them.
func goNames(pattern string) string {
	return namedGroup.ReplaceAllString(pattern, `(?P<$1>`)
}

var namedGroup = regexp.MustCompile(`\(\?<([A-Za-z_][A-Za-z0-9_]*)>`)

// oneOf matches a header that has one of the values.
func oneOf(name string, values []string) *routev3.HeaderMatcher {
	alternatives := make([]string, len(values))
	for i, v := range values {
		pattern, isRegex := strings.CutPrefix(v, "~*")
		if !isRegex {
			pattern = regexp.QuoteMeta(v)
		}
		alternatives[i] = "(?:" + pattern + ")"
	}
	return &routev3.HeaderMatcher{Name: name, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{
			// Kong compares header values without regard to letter case.
			SafeRegex: &matcherv3.RegexMatcher{Regex: "(?i)" + strings.Join(alternatives, "|")},
		}},
	}}
}

// unmatched answers what no route takes.
func unmatched() *routev3.Route {
	return &routev3.Route{
		Name:  "semlb.unmatched",
		Match: prefix("/"),
		Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
			Status: 404,
			Body: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{
				InlineString: string(ErrorBody("No route matches this request.", "invalid_request_error", "no_route")),
			}},
		}},
		ResponseHeadersToAdd: responseHeader("content-type", "application/json"),
		TypedPerFilterConfig: map[string]*anypb.Any{
			extProcName: typed(&extprocv3.ExtProcPerRoute{Override: &extprocv3.ExtProcPerRoute_Disabled{Disabled: true}}),
		},
	}
}
