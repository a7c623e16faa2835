package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The annotations of Ingresses and HTTPRoutes that are read.
const (
	annotationMethods  = "konghq.com/methods"
	annotationProtocol = "konghq.com/protocols"
	annotationHeaders  = "konghq.com/headers."
	annotationStrip    = "konghq.com/strip-path"
	annotationPreserve = "konghq.com/preserve-host"
	annotationPriority = "konghq.com/regex-priority"
	annotationRedirect = "konghq.com/https-redirect-status-code"
)

// kubeMatch is what one route of an Ingress or HTTPRoute asks for.
type kubeMatch struct {
	service string
	hosts   []*node
	paths   []*node
	methods []*node
	headers *node
	// filters are those that bind plugins.
	filters []kubeFilter
}

// kubeFilter is the name of a plugin in a filter, and its path.
type kubeFilter struct {
	path   string
	plugin *node
}

// kubeRoutes reads the routes of an Ingress or an HTTPRoute, as Kong's controller
// makes them, and binds plugins to each.
func (l *loader) kubeRoutes(n *node, kind string, key objectKey) {
	if partial(n) {
		l.bind(n, partRoute, key.String())
		return
	}
	matches := l.ingressMatches(n, key)
	if kind == "HTTPRoute" {
		matches = l.httpMatches(n, key)
	}
	if len(matches) == 0 {
		matches = []kubeMatch{{}}
	}
	base := key.String()
	if other := l.cluster.routes[base]; other != "" && other != kind {
		base += "." + strings.ToLower(kind)
	}
	l.cluster.routes[base] = kind
	for i, m := range matches {
		name := base
		if i > 0 {
			name = fmt.Sprintf("%s.%d", base, i+1)
		}
		l.route("", l.kubeRoute(n, name, m), "")
		l.bind(n, partRoute, name)
		for _, f := range m.filters {
			l.addBinding(binding{partRoute, name, f.plugin.str(), key.namespace, f.path, f.plugin})
		}
	}
}

// kubeRoute returns a route as other formats have it.
func (l *loader) kubeRoute(n *node, name string, m kubeMatch) *node {
	list := func(items []*node) *node { return &node{kind: kindList, pos: n.pos, items: items} }
	route := kubeEntity(n, name)
	if m.service != "" {
		route = route.with("service", object("name", &node{kind: kindString, pos: n.pos, text: m.service}))
	}
	route = route.with("hosts", list(m.hosts)).with("paths", list(m.paths))
	if methods := annotation(n, annotationMethods); methods != nil && m.methods == nil {
		m.methods = texts(methods, strings.ToUpper(methods.str()))
	}
	route = route.with("methods", list(m.methods))
	headers := orEmpty(m.headers, n.pos)
	for _, f := range orEmpty(n.at("metadata", "annotations"), n.pos).fields {
		if header, ok := strings.CutPrefix(f.name, annotationHeaders); ok {
			headers = headers.with(header, list(texts(f.value, f.value.str())))
		}
	}
	if len(headers.fields) > 0 {
		route = route.with("headers", headers)
	}
	if protocols := annotation(n, annotationProtocol); protocols != nil {
		route = route.with("protocols", list(texts(protocols, protocols.str())))
	}
	route = route.with("strip_path", flagOf(annotation(n, annotationStrip), "false", n.pos))
	route = route.with("preserve_host", flagOf(annotation(n, annotationPreserve), "true", n.pos))
	for _, of := range numberAnnotations() {
		if number := annotation(n, of.annotation); number != nil {
			route = route.with(of.field, converted(&spec{kind: kindInt}, number))
		}
	}
	return route
}

// numberAnnotations are the annotations with numbers, and their fields of a route.
func numberAnnotations() []struct{ annotation, field string } {
	return []struct{ annotation, field string }{
		{annotationPriority, "regex_priority"}, {annotationRedirect, "https_redirect_status_code"},
	}
}

// kubeEntity returns an entity with the name and the tags of a resource.
func kubeEntity(n *node, name string) *node {
	title := &node{kind: kindString, pos: n.pos, text: name, hidden: n.at("metadata", "name").hidden}
	entity := (&node{kind: kindObject, pos: n.pos}).with("name", title)
	if tags := annotation(n, annotationTags); tags != nil && tags.str() != "" {
		entity = entity.with("tags", &node{kind: kindList, pos: tags.pos, items: texts(tags, tags.str())})
	}
	return entity
}

// texts returns the parts of an annotation.
func texts(n *node, text string) []*node {
	var items []*node
	for _, part := range commaSeparated(text) {
		items = append(items, &node{kind: kindString, pos: n.pos, text: part, hidden: n.hidden, broken: n.broken})
	}
	return items
}

// flagOf returns an annotation that is true or false.
func flagOf(n *node, fallback string, pos Position) *node {
	if n == nil {
		return &node{kind: kindBool, pos: pos, text: fallback}
	}
	return converted(&spec{kind: kindBool}, n)
}

// ingressMatches returns a route for each host and service of an Ingress.
func (l *loader) ingressMatches(n *node, key objectKey) []kubeMatch {
	var matches []kubeMatch
	service := func(backend *node) string {
		if name := backend.at("service", "name").str(); name != "" {
			return objectKey{key.namespace, name}.String()
		}
		return ""
	}
	for i, rule := range l.listOf("spec.rules", orEmpty(n.get("spec"), n.pos), "rules") {
		var own []kubeMatch
		for j, p := range rule.at("http", "paths").elements() {
			at := fmt.Sprintf("spec.rules[%d].http.paths[%d].path", i, j)
			paths := l.ingressPaths(at, p)
			backend := service(p.get("backend"))
			k := 0
			for k < len(own) && own[k].service != backend {
				k++
			}
			if k == len(own) {
				own = append(own, kubeMatch{service: backend})
				if host := rule.get("host"); host != nil {
					own[k].hosts = []*node{host}
				}
			}
			own[k].paths = append(own[k].paths, paths...)
		}
		for _, m := range own {
			if len(matches) == 0 || !matches[len(matches)-1].takes(m) {
				matches = append(matches, m)
			}
		}
	}
	if backend := n.at("spec", "defaultBackend"); backend != nil {
		matches = append(matches, kubeMatch{service: service(backend)})
	}
	return matches
}

// takes adds the host of a match that is otherwise the same.
func (m *kubeMatch) takes(other kubeMatch) bool {
	same := func(a, b *node) bool { return a.text == b.text }
	if m.service != other.service || len(m.hosts) == 0 || len(other.hosts) == 0 || !slices.EqualFunc(m.paths, other.paths, same) {
		return false
	}
	m.hosts = append(m.hosts, other.hosts...)
	return true
}

// ingressPaths returns a path of an Ingress in Kong's form.
func (l *loader) ingressPaths(at string, p *node) []*node {
	path := p.get("path")
	if path == nil {
		return []*node{{kind: kindString, pos: p.pos, text: "/"}}
	}
	kind := p.get("pathType")
	switch kind.str() {
	case "", "ImplementationSpecific":
		text := path.text
		if pattern, ok := strings.CutPrefix(text, "/~"); ok {
			text = "~" + pattern
		}
		return []*node{path.say(text)}
	case "Prefix":
		return prefixPaths(path)
	case "Exact":
		return []*node{path.say("~" + regexp.QuoteMeta(path.text) + "$")}
	default:
		l.want(kind.pos, at, shown(&spec{}, kind), "Prefix, Exact or ImplementationSpecific")
		return nil
	}
}

// say returns a copy of a string with another text.
func (n *node) say(text string) *node {
	c := *n
	c.text = text
	return &c
}

// prefixPaths returns the paths of a prefix that ends at a slash.
func prefixPaths(path *node) []*node {
	text := strings.TrimRight(path.text, "/")
	if text == "" {
		return []*node{path.say("/")}
	}
	return []*node{path.say("~" + regexp.QuoteMeta(text) + "$"), path.say(text + "/")}
}
