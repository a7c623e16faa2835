package provider

import (
	"net/url"
	"slices"
	"strings"
)

// param is a query parameter that a target adds, parsed.
type param struct {
	name   string   // decoded
	text   template // "name=value", escaped
	yields bool     // the client's own wins
}

// pairs yields the parameters of a raw query string, each with its decoded name.
func pairs(query string) func(yield func(pair, name string) bool) {
	return func(yield func(pair, name string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			if pair != "" && !yield(pair, paramName(pair)) {
				return
			}
		}
	}
}

func paramName(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		return decoded
	}
	return name
}

// queryValue returns the decoded value of the first parameter of that name, or "".
func queryValue(query, name string) string {
	for pair, n := range pairs(query) {
		if n != name {
			continue
		}
		_, value, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(value); err == nil {
			return decoded
		}
	}
	return ""
}

// hasParam reports whether a query has a parameter of that name, in any letter
// case.
func hasParam(query, name string) bool {
	for _, n := range pairs(query) {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// sendsParam reports whether a query has a parameter of exactly that name: to a
// provider, one in another letter case is another parameter.
func sendsParam(query, name string) bool {
	for _, n := range pairs(query) {
		if n == name {
			return true
		}
	}
	return false
}

// containsFold reports whether a name is among names, in any letter case.
func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// keepQuery returns a query without the parameters whose names drop is true of. The
// others are copied byte for byte.
func keepQuery(query string, drop func(name string) bool) string {
	clean := true
	for _, name := range pairs(query) {
		clean = clean && !drop(name)
	}
	if clean {
		return query
	}
	var kept []string
	for pair, name := range pairs(query) {
		if !drop(name) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}
