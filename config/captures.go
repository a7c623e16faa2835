package config

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// capturing is a path of a route with named groups.
type capturing struct {
	*regexp.Regexp
	priority int
}

// Captures returns the values of the named groups in the path of the route that a
// request matched, without percent-encoding; nil if it has none. The path of the request
// is in normal form, without its query. The route is that of [Config.Find]; where that is
// not known, as beside a proxy that has routes of its own, it is the first whose path
// matches, in Kong's order.
//
// It is safe for concurrent use once the configuration is complete.
func (c *Config) Captures(r Request, path string) map[string]string {
	x := c.index
	if x == nil {
		x = newIndex(c)
	}
	paths := x.capturing
	if route, _ := x.target(r); x.has(KindRoute, route) {
		paths = x.capturingOf[route]
	}
	for _, p := range paths {
		if match := p.FindStringSubmatch(path); match != nil {
			return p.captures(match)
		}
	}
	return nil
}

func (p capturing) captures(match []string) map[string]string {
	values := make(map[string]string)
	for i, name := range p.SubexpNames() {
		if name == "" || match[i] == "" {
			continue
		}
		values[name] = match[i]
		if plain, err := url.PathUnescape(match[i]); err == nil {
			values[name] = plain
		}
	}
	return values
}

// indexCaptures compiles the paths that are regular expressions: those without groups
// too, because one of them may precede a path with groups.
func (x *index) indexCaptures(routes []Route) {
	for i := range routes {
		r := &routes[i]
		called := cmp.Or(r.Name, r.ID)
		for _, path := range r.Paths {
			if p, ok := compilePath(path, r.RegexPriority); ok {
				x.capturingOf[called] = append(x.capturingOf[called], p)
				x.capturing = append(x.capturing, p)
			}
		}
		slices.SortStableFunc(x.capturingOf[called], byPrecedence)
	}
	slices.SortStableFunc(x.capturing, byPrecedence)
}

// byPrecedence is Kong's order of regular expressions: by priority, then the longest
// first.
func byPrecedence(a, b capturing) int {
	return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(len(b.String()), len(a.String())))
}

// compilePath compiles a path that is a regular expression. Kong matches it from the
// start of a path.
func compilePath(path string, priority int) (capturing, bool) {
	pattern, isRegex := strings.CutPrefix(path, "~")
	if !isRegex {
		return capturing{}, false
	}
	compiled, err := regexp.Compile("^(?:" + pattern + ")")
	return capturing{compiled, priority}, err == nil // the loader has checked it
}

// CaptureNames are the names of the groups of each path of a route, none for a path that
// is no regular expression, or for a route without paths.
func (r *Route) CaptureNames() [][]string {
	if len(r.Paths) == 0 {
		return [][]string{nil}
	}
	var of [][]string
	for _, path := range r.Paths {
		var names []string
		if p, ok := compilePath(path, 0); ok {
			names = slices.DeleteFunc(p.SubexpNames(), func(name string) bool { return name == "" })
		}
		of = append(of, names)
	}
	return of
}
