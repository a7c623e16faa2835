package kubernetes

import (
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/tree"
)

// maxBindings bounds what plugins are bound to.
const maxBindings = 10_000

// binding is the name of a plugin in an annotation or a filter.
type binding struct {
	// kind and entity are what it is bound to.
	kind, entity string
	// plugin and namespace name the plugin, and written is the name as it is written.
	plugin, namespace, written string
	// by is what names it, for messages.
	by string
	// path and at are where the name is.
	path string
	at   *tree.Node
}

// bound is what plugins are bound to.
type bound struct{ kind, entity string }

// bindings are those of a configuration.
type bindings struct {
	all []binding
	// named are the annotations that name them.
	named map[bound]*tree.Node
	// full is set when there were more than are taken.
	full bool
}

// bind notes the plugins that a resource's annotation names.
func (r *reader) bind(n *tree.Node, kind, entity string) {
	a := annotation(n, annotationPlugins)
	if a == nil || r.bindings.full { // there may be many more resources, each with a long list
		return
	}
	by := annotationPlugins + " of " + shownResource(n)
	r.bindings.named[bound{kind, entity}] = a
	for _, name := range commaSeparated(a.Str()) {
		b := binding{
			kind: kind, entity: entity, plugin: name, namespace: keyOf(n).namespace, written: name,
			by: by, path: annotationsPath, at: a,
		}
		if of, plugin, named := strings.Cut(name, ":"); named {
			b.namespace, b.plugin = of, plugin
		}
		if !r.addBinding(b) {
			return
		}
	}
}

// shownResource returns what messages call a resource.
func shownResource(n *tree.Node) string {
	return n.Get("kind").Str() + " " + n.At("metadata", "name").Quoted()
}

// addBinding notes the name of a plugin. It reports, once, that there are too many.
func (r *reader) addBinding(b binding) bool {
	if len(r.bindings.all) < maxBindings {
		r.bindings.all = append(r.bindings.all, b)
		return true
	}
	if !r.bindings.full {
		r.Problem(b.at.Pos, b.path, "got more than %d bindings of plugins", maxBindings)
	}
	r.bindings.full = true
	return false
}

// annotationsPath is that of annotations in a resource.
const annotationsPath = "metadata.annotations"

// entityKinds are the kinds of entities that resources are.
var entityKinds = map[string]string{
	"Service": config.KindService, "Ingress": config.KindRoute, "HTTPRoute": config.KindRoute,
	"KongConsumer": config.KindConsumer, "KongConsumerGroup": config.KindConsumerGroup,
}

// findPlugin returns the plugin that a name means: the one of the namespace, else that
// of the cluster, else nil.
func (r *reader) findPlugin(namespace, name string) *plugin {
	for _, key := range []objectKey{{namespace, name}, {"", name}} {
		for _, p := range r.plugins {
			if p.key == key {
				return p
			}
		}
	}
	return nil
}

// yield adds the plugin once for each scope that it is bound to.
func (r *reader) yield(p *plugin) {
	n := r.entry(p)
	where := len(p.bound[config.KindService]) + len(p.bound[config.KindRoute])
	who := len(p.bound[config.KindConsumer]) + len(p.bound[config.KindConsumerGroup])
	if where*who > maxBindings {
		r.Problem(p.n.Pos, "", "got more than %d scopes of one plugin", maxBindings)
		return
	}
	scopes := p.scopes()
	if len(scopes) == 0 {
		resource := p.resource()
		r.Warn(p.n.Pos, "", resource.Kind+" "+resource.Shown+" is not attached to anything")
		r.Items = append(r.Items, format.Item{Kind: format.KindPlugin, Node: n, Unbound: resource})
	}
	for _, s := range scopes {
		r.AddPlugin("", n, s)
	}
}

// scopes returns what a plugin applies to. Bound to consumers or groups and to routes or
// services it applies where both meet, as Kong's controller has it.
func (p *plugin) scopes() []config.Scope {
	where := p.scopesOf(config.KindService, config.KindRoute)
	who := p.scopesOf(config.KindConsumer, config.KindConsumerGroup)
	var scopes []config.Scope
	switch {
	case len(who) == 0:
		scopes = where
	case len(where) == 0:
		scopes = who
	default:
		for _, s := range who {
			for _, at := range where {
				s.Service, s.Route = at.Service, at.Route
				scopes = append(scopes, s)
			}
		}
	}
	if p.global {
		scopes = append(scopes, config.Scope{})
	}
	return scopes
}

// scopesOf returns a scope for each entity of some kinds that the plugin is bound to.
func (p *plugin) scopesOf(kinds ...string) []config.Scope {
	var scopes []config.Scope
	for _, kind := range kinds {
		for _, name := range p.bound[kind] {
			var s config.Scope
			s.SetPart(kind, name)
			scopes = append(scopes, s)
		}
	}
	return scopes
}
