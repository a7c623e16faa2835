package kubernetes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/schema"
	"semlb/config/tree"
)

// match is what one route of an Ingress or an HTTPRoute matches.
type match struct {
	service string
	hosts   []*tree.Node
	paths   []*tree.Node
	methods []*tree.Node
	headers *tree.Node
	// filters are those that bind plugins.
	filters []filter
}

// filter is the name of a plugin in a filter, and its path.
type filter struct {
	path   string
	plugin *tree.Node
}

// route yields the routes of an Ingress or an HTTPRoute, as Kong's controller makes
// them, and binds plugins to each. One with annotations alone adds to a resource that is
// in other files, or in the cluster already.
func (r *reader) route(n *tree.Node, kind string, key objectKey) {
	if n.Get("spec") == nil && annotation(n, annotationPlugins) != nil {
		r.bare = append(r.bare, n)
		return
	}
	for i, m := range (matcher{Input: r.Input, key: key}).matches(n, kind) {
		name := r.routeName(kind, key, i)
		r.made[resourceKey{kind, key}] = append(r.made[resourceKey{kind, key}], name)
		r.AddEntity(config.KindRoute, "", routeEntity(n, name, m))
		r.bind(n, config.KindRoute, name)
		for _, f := range m.filters {
			r.addBinding(binding{
				kind: config.KindRoute, entity: name, plugin: f.plugin.Str(), namespace: key.namespace, written: f.plugin.Str(),
				by: "a filter of " + shownResource(n), path: f.path, at: f.plugin,
			})
		}
	}
}

// matcher turns the rules of one Ingress or HTTPRoute into matches.
type matcher struct {
	*format.Input
	key objectKey
	// regexPrefix is in front of paths that are regular expressions; "" is "/~".
	regexPrefix string
}

// matches returns the matches of a resource, in order. There is at least one.
func (m matcher) matches(n *tree.Node, kind string) []match {
	var matches []match
	if kind == "HTTPRoute" {
		matches = m.httpMatches(n)
	} else {
		matches = m.ingressMatches(n)
	}
	if len(matches) == 0 {
		return []match{{}}
	}
	return matches
}

// routeName returns the name of the route with an index of a resource. An Ingress and an
// HTTPRoute may have the same name.
func (r *reader) routeName(kind string, key objectKey, index int) string {
	name := key.String()
	if other := r.routes[name]; other != "" && other != kind {
		name += "." + strings.ToLower(kind)
	}
	r.routes[name] = kind
	if index > 0 {
		name = fmt.Sprintf("%s.%d", name, index+1)
	}
	return name
}

// routeEntity returns a route as a decK file has it.
func routeEntity(n *tree.Node, name string, m match) *tree.Node {
	list := func(items []*tree.Node) *tree.Node { return &tree.Node{Kind: tree.List, Pos: n.Pos, Items: items} }
	route := entity(n, name)
	if m.service != "" {
		service := &tree.Node{Kind: tree.String, Pos: n.Pos, Text: m.service}
		route = route.With("service", tree.NewObject("name", service))
	}
	if aliases := annotation(n, annotationAliases); aliases != nil {
		m.hosts = append(slices.Clone(m.hosts), texts(aliases, aliases.Str())...)
	}
	route = route.With("hosts", list(m.hosts)).With("paths", list(m.paths))
	if methods := annotation(n, annotationMethods); methods != nil && m.methods == nil {
		m.methods = texts(methods, strings.ToUpper(methods.Str()))
	}
	route = route.With("methods", list(m.methods))
	headers := m.headers.OrObject(n.Pos)
	for _, f := range n.At("metadata", "annotations").OrObject(n.Pos).Fields {
		if header, ok := strings.CutPrefix(f.Name, annotationHeaders); ok {
			headers = headers.With(header, list(separated(f.Value, annotation(n, annotationSplit))))
		}
	}
	if len(headers.Fields) > 0 {
		route = route.With("headers", headers)
	}
	route = route.With("strip_path", flag(annotation(n, annotationStrip), "false", n.Pos))
	route = route.With("preserve_host", flag(annotation(n, annotationPreserve), "true", n.Pos))
	return annotated(route, n)
}

// separated returns the values of a header's annotation.
func separated(values, separator *tree.Node) []*tree.Node {
	if separator.Str() == "" {
		return texts(values, values.Str())
	}
	var items []*tree.Node
	for part := range strings.SplitSeq(values.Str(), separator.Text) {
		item := *values
		item.Text = strings.TrimSpace(part)
		items = append(items, &item)
	}
	return items
}

// flag returns an annotation that is true or false.
func flag(n *tree.Node, fallback string, pos config.Position) *tree.Node {
	if n == nil {
		return &tree.Node{Kind: tree.Bool, Pos: pos, Text: fallback}
	}
	return (&schema.Field{Kind: tree.Bool}).Converted(n)
}

// exactPath returns a path of its whole length, in Kong's form.
func exactPath(path *tree.Node) *tree.Node {
	return path.WithText("~" + regexp.QuoteMeta(path.Text) + "$")
}

// prefixPaths returns the paths, in Kong's form, of a prefix that ends at a slash.
func prefixPaths(path *tree.Node) []*tree.Node {
	text := strings.TrimRight(path.Text, "/")
	if text == "" {
		return []*tree.Node{path.WithText("/")}
	}
	return []*tree.Node{exactPath(path.WithText(text)), path.WithText(text + "/")}
}

// anyPath returns the path that every request has.
func anyPath(pos config.Position) []*tree.Node {
	return []*tree.Node{{Kind: tree.String, Pos: pos, Text: "/"}}
}
