package config

import (
	"fmt"
	"regexp"
)

// httpMatches returns a route for each match of an HTTPRoute; those that differ in
// their paths alone are one.
func (l *loader) httpMatches(n *node, key objectKey) []kubeMatch {
	var all []kubeMatch
	hosts := n.at("spec", "hostnames").elements()
	for i, rule := range l.listOf("spec.rules", orEmpty(n.get("spec"), n.pos), "rules") {
		at := fmt.Sprintf("spec.rules[%d]", i)
		service, filters := l.backend(at, rule, key), l.httpFilters(at, rule)
		found := rule.get("matches").elements()
		if len(found) == 0 {
			all = append(all, kubeMatch{service: service, hosts: hosts, filters: filters})
		}
		first := len(all)
		for j, match := range found {
			m := kubeMatch{service: service, hosts: hosts, filters: filters}
			m.paths = l.httpPaths(fmt.Sprintf("%s.matches[%d]", at, j), match)
			if method := match.get("method"); method != nil {
				m.methods = []*node{method}
			}
			m.headers = httpHeaders(match)
			if last := len(all) - 1; last >= first && m.methods == nil && all[last].methods == nil && m.headers == nil && all[last].headers == nil {
				all[last].paths = append(all[last].paths, m.paths...)
				continue
			}
			all = append(all, m)
		}
	}
	return all
}

// backend returns the service of a rule.
func (l *loader) backend(at string, rule *node, key objectKey) string {
	refs := rule.get("backendRefs").elements()
	if len(refs) == 0 {
		return ""
	}
	if len(refs) > 1 {
		l.warn(refs[1].pos, join(at, "backendRefs"), "only the first backend says which service the route is of")
	}
	for j, ref := range refs {
		if filters := ref.get("filters"); !filters.empty() {
			l.warn(filters.pos, fmt.Sprintf("%s.backendRefs[%d].filters", at, j), "filters of a backend are not run: the targets take its place")
		}
	}
	return objectKey{firstOf(refs[0].get("namespace").str(), key.namespace), refs[0].get("name").str()}.String()
}

// httpFilters returns the filters of a rule that bind plugins. Those that change a
// request on its way are named; one that answers it itself cannot be left out.
func (l *loader) httpFilters(at string, rule *node) []kubeFilter {
	var bound []kubeFilter
	path := join(at, "filters")
	for i, f := range l.listOf(path, rule, "filters") {
		kind, path := f.get("type"), fmt.Sprintf("%s[%d]", path, i)
		ref := f.get("extensionRef")
		switch {
		case kind.str() == "ExtensionRef" && ref.get("group").str() == "configuration.konghq.com" && ref.get("kind").str() == "KongPlugin" && ref.get("name").str() != "":
			bound = append(bound, kubeFilter{join(path, "extensionRef.name"), ref.get("name")})
		case kind.str() == "ExtensionRef":
			l.want(f.pos, path, "an ExtensionRef to something else", "group configuration.konghq.com, kind KongPlugin and a name")
		case kind.str() == "RequestRedirect":
			l.problem(f.pos, path, "not supported yet: a rule that redirects")
		default:
			l.warn(f.pos, path, "filter "+quoted(kind)+" is not run")
		}
	}
	return bound
}

// httpPaths returns the paths of a match in Kong's form.
func (l *loader) httpPaths(at string, match *node) []*node {
	if q := match.get("queryParams"); !q.empty() {
		l.problem(q.pos, join(at, "queryParams"), "not supported yet: matches of query parameters")
	}
	path := match.at("path", "value")
	if path == nil {
		return []*node{{kind: kindString, pos: match.pos, text: "/"}}
	}
	switch kind := match.at("path", "type"); kind.str() {
	case "", "PathPrefix":
		return prefixPaths(path)
	case "Exact":
		return []*node{path.say("~" + regexp.QuoteMeta(path.text) + "$")}
	case "RegularExpression":
		return []*node{path.say("~" + path.text)}
	default:
		l.want(kind.pos, join(at, "path.type"), shown(&spec{}, kind), "PathPrefix, Exact or RegularExpression")
		return nil
	}
}

// httpHeaders returns the headers of a match, or nil where there are none.
func httpHeaders(match *node) *node {
	var headers *node
	for _, h := range match.get("headers").elements() {
		value := h.get("value")
		if value == nil {
			continue
		}
		if h.get("type").str() == "RegularExpression" {
			value = value.say("~*" + value.text)
		}
		list := &node{kind: kindList, pos: h.pos, items: []*node{value}}
		headers = orEmpty(headers, h.pos).with(h.get("name").str(), list)
	}
	return headers
}
