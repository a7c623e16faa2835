package kubernetes

import (
	"cmp"
	"fmt"

	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
)

// httpMatches returns a match for each match of an HTTPRoute; those that differ in their
// paths alone are one.
func (m matcher) httpMatches(n *tree.Node) []match {
	var all []match
	hosts := n.At("spec", "hostnames").Elements()
	for i, rule := range m.ListOf("spec", n.Get("spec").OrObject(n.Pos), "rules") {
		at := report.Index("spec.rules", i)
		base := match{service: m.backend(at, rule), hosts: hosts, filters: m.filters(at, rule)}
		found := rule.Get("matches").Elements()
		if len(found) == 0 {
			all = append(all, base)
		}
		first := len(all)
		for j, n := range found {
			next := m.httpMatch(base, fmt.Sprintf("%s.matches[%d]", at, j), n)
			if last := len(all) - 1; last >= first && next.pathsOnly() && all[last].pathsOnly() {
				all[last].paths = append(all[last].paths, next.paths...)
				continue
			}
			all = append(all, next)
		}
	}
	return all
}

// httpMatch returns a match of a rule.
func (m matcher) httpMatch(base match, at string, n *tree.Node) match {
	base.paths = m.httpPaths(at, n)
	if method := n.Get("method"); method != nil {
		base.methods = []*tree.Node{method}
	}
	base.headers = httpHeaders(n)
	return base
}

// pathsOnly reports whether a match looks at nothing of a request but its host and its
// path.
func (m match) pathsOnly() bool { return m.methods == nil && m.headers == nil }

// backend returns the service of a rule.
func (m matcher) backend(at string, rule *tree.Node) string {
	refs := rule.Get("backendRefs").Elements()
	if len(refs) == 0 {
		return ""
	}
	if len(refs) > 1 {
		m.Warn(refs[1].Pos, report.Join(at, "backendRefs"), "only the first backend determines the service of the route")
	}
	for j, ref := range refs {
		if filters := ref.Get("filters"); !filters.Empty() {
			m.Warn(filters.Pos, fmt.Sprintf("%s.backendRefs[%d].filters", at, j), "filters of a backend are ignored: targets replace the backend")
		}
	}
	return objectKey{cmp.Or(refs[0].Get("namespace").Str(), m.key.namespace), refs[0].Get("name").Str()}.String()
}

// filters returns the filters of a rule that bind plugins. Those that change a request on
// its way are named in warnings; one that answers it itself cannot be left out.
func (m matcher) filters(at string, rule *tree.Node) []filter {
	var bound []filter
	for i, f := range m.ListOf(at, rule, "filters") {
		kind, path := f.Get("type"), report.Index(report.Join(at, "filters"), i)
		ref := f.Get("extensionRef")
		switch {
		case kind.Str() == "ExtensionRef" && namesPlugin(ref):
			bound = append(bound, filter{report.Join(path, "extensionRef.name"), ref.Get("name")})
		case kind.Str() == "ExtensionRef":
			m.Want(f.Pos, path, "an ExtensionRef to something else", "group configuration.konghq.com, kind KongPlugin and a name")
		case kind.Str() == "RequestRedirect":
			m.Problem(f.Pos, path, "not supported yet: rules that redirect")
		default:
			m.Warn(f.Pos, path, "filter "+kind.Quoted()+" is not run")
		}
	}
	return bound
}

// namesPlugin reports whether an extensionRef refers to a KongPlugin.
func namesPlugin(ref *tree.Node) bool {
	return ref.Get("group").Str() == "configuration.konghq.com" && ref.Get("kind").Str() == "KongPlugin" && ref.Get("name").Str() != ""
}

// httpPaths returns the paths of a match in Kong's form.
func (m matcher) httpPaths(at string, match *tree.Node) []*tree.Node {
	if q := match.Get("queryParams"); !q.Empty() {
		m.Problem(q.Pos, report.Join(at, "queryParams"), "not supported yet: query parameter matches")
	}
	path := match.At("path", "value")
	if path == nil {
		return anyPath(match.Pos)
	}
	switch kind := match.At("path", "type"); kind.Str() {
	case "", "PathPrefix":
		return prefixPaths(path)
	case "Exact":
		return []*tree.Node{exactPath(path)}
	case "RegularExpression":
		return []*tree.Node{path.WithText("~" + path.Text)}
	default:
		m.Want(kind.Pos, report.Join(at, "path.type"), schema.Show(kind), "PathPrefix, Exact or RegularExpression")
		return nil
	}
}

// httpHeaders returns the headers of a match, or nil where there are none.
func httpHeaders(match *tree.Node) *tree.Node {
	var headers *tree.Node
	for _, h := range match.Get("headers").Elements() {
		value := h.Get("value")
		if value == nil {
			continue
		}
		if h.Get("type").Str() == "RegularExpression" {
			value = value.WithText("~*" + value.Text)
		}
		list := &tree.Node{Kind: tree.List, Pos: h.Pos, Items: []*tree.Node{value}}
		headers = headers.OrObject(h.Pos).With(h.Get("name").Str(), list)
	}
	return headers
}
