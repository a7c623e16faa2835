package parts

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
)

// Route is a Kong route. An empty list matches everything, so the zero Route matches all
// requests.
type Route struct {
	// Name is sent to the external processor as xds.route_name.
	Name string
	// Hosts are names; one may start with "*." or end with ".*". Without a port they match
	// every port.
	Hosts []string
	// Paths are prefixes, or regular expressions behind "~", which match from the
	// start of the path.
	Paths   []string
	Methods []string
	// Headers must each have one of their values; a value behind "~*" is a regular
	// expression, which matches anywhere.
	Headers map[string][]string
	// RegexPriority orders routes with regular expressions, highest first.
	RegexPriority int
	// PlainHTTPStatus answers a request without TLS: 426, or the status of a redirect to
	// https. With 0 it is served.
	PlainHTTPStatus int
	// CORS routes have the plugin cors: what answers say to pages of other origins comes
	// from semlb, not from providers.
	CORS bool
}

// branch is a Kong route with one of its paths.
type branch struct {
	*Route
	path string
	// order is the position of the route in the configuration.
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

// precedence orders branches as Kong's traditional router does: those with more kinds of
// criteria first, then by the kinds themselves (host, headers, path, method), plain hosts
// before wildcards, regular expressions before prefixes, more headers, the priority of
// regular expressions, longer paths, and the order of the configuration.
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

// kinds has a bit for each kind of criteria that a branch has, the most significant
// highest.
func (b branch) kinds() uint {
	var k uint
	for _, has := range []bool{len(b.Hosts) > 0, len(b.Headers) > 0, b.path != "", len(b.Methods) > 0} {
		k <<= 1
		if has {
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
