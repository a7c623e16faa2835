package kubernetes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"semlb/config/schema"
	"semlb/config/tree"
)

// ingressMatches returns a match for each host and service of an Ingress.
func (m matcher) ingressMatches(n *tree.Node) []match {
	var matches []match
	if prefix := annotation(n, annotationRegex); prefix.Str() != "" {
		m.regexPrefix = prefix.Text
	}
	for i, rule := range m.ListOf("spec", n.Get("spec").OrObject(n.Pos), "rules") {
		for _, next := range m.ingressRule(fmt.Sprintf("spec.rules[%d].http", i), rule) {
			if len(matches) == 0 || !matches[len(matches)-1].addHost(next) {
				matches = append(matches, next)
			}
		}
	}
	if backend := n.At("spec", "defaultBackend"); backend != nil {
		matches = append(matches, match{service: m.ingressService(backend)})
	}
	return matches
}

// ingressRule returns a match for each service of a rule.
func (m matcher) ingressRule(at string, rule *tree.Node) []match {
	var own []match
	for j, p := range rule.At("http", "paths").Elements() {
		paths := m.ingressPaths(fmt.Sprintf("%s.paths[%d].path", at, j), p)
		service := m.ingressService(p.Get("backend"))
		k := slices.IndexFunc(own, func(other match) bool { return other.service == service })
		if k < 0 {
			k = len(own)
			own = append(own, match{service: service})
			if host := rule.Get("host"); host != nil {
				own[k].hosts = []*tree.Node{host}
			}
		}
		own[k].paths = append(own[k].paths, paths...)
	}
	return own
}

// ingressService returns the name of the service that a backend is.
func (m matcher) ingressService(backend *tree.Node) string {
	if name := backend.At("service", "name").Str(); name != "" {
		return objectKey{m.key.namespace, name}.String()
	}
	return ""
}

// addHost adds the host of a match that is the same otherwise.
func (m *match) addHost(other match) bool {
	same := func(a, b *tree.Node) bool { return a.Text == b.Text }
	if m.service != other.service || len(m.hosts) == 0 || len(other.hosts) == 0 || !slices.EqualFunc(m.paths, other.paths, same) {
		return false
	}
	m.hosts = append(m.hosts, other.hosts...)
	return true
}

// ingressPaths returns a path of an Ingress in Kong's form.
func (m matcher) ingressPaths(at string, p *tree.Node) []*tree.Node {
	path := p.Get("path")
	if path == nil {
		return anyPath(p.Pos)
	}
	kind := p.Get("pathType")
	switch kind.Str() {
	case "", "ImplementationSpecific":
		if pattern, ok := strings.CutPrefix(path.Text, cmp.Or(m.regexPrefix, "/~")); ok {
			path = path.WithText("~" + pattern)
		}
		return []*tree.Node{path}
	case "Prefix":
		return prefixPaths(path)
	case "Exact":
		return []*tree.Node{exactPath(path)}
	default:
		m.Want(kind.Pos, at, schema.Show(kind), "Prefix, Exact or ImplementationSpecific")
		return nil
	}
}
