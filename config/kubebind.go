package config

import (
	"slices"
	"strings"
)

// maxBindings bounds what plugins are bound to.
const maxBindings = 10_000

// bind notes the plugins that a resource's annotation names.
func (l *loader) bind(n *node, part int, entity string) {
	a := annotation(n, annotationPlugins)
	if a == nil {
		return
	}
	if l.cluster.overbound { // there may be many more resources, each with a long list
		return
	}
	for _, name := range commaSeparated(a.str()) {
		if !l.addBinding(binding{part, entity, name, keyOf(n).namespace, "metadata.annotations", a}) {
			return
		}
	}
}

// addBinding notes a name of a plugin, unless there are too many, which is said once.
func (l *loader) addBinding(b binding) bool {
	if len(l.cluster.bound) < maxBindings {
		l.cluster.bound = append(l.cluster.bound, b)
		return true
	}
	if !l.cluster.overbound {
		l.problem(b.at.pos, b.path, "got more than %d bindings of plugins", maxBindings)
	}
	l.cluster.overbound = true
	return false
}

// commaSeparated returns the parts of a text that are not empty.
func commaSeparated(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// bindKubernetes turns the resources into entries, when all of them are known.
func (l *loader) bindKubernetes() {
	for _, n := range l.cluster.consumers {
		l.kubeConsumer(n)
	}
	for _, b := range l.cluster.bound {
		p := l.cluster.find(b.namespace, b.plugin)
		if p == nil {
			name := &node{kind: kindString, text: b.plugin, hidden: b.at.hidden}
			l.warn(b.at.pos, b.path, "plugin "+quoted(name)+" is not in the files")
			continue
		}
		p.entities[b.part] = append(p.entities[b.part], b.entity)
	}
	for _, p := range l.cluster.plugins {
		l.kubeEntries(p)
	}
}

// find returns the plugin a resource means: the one of its namespace, else that of
// the cluster.
func (c *cluster) find(namespace, name string) *kubePlugin {
	for _, key := range []objectKey{{namespace, name}, {"", name}} {
		i := slices.IndexFunc(c.plugins, func(p *kubePlugin) bool { return p.key == key })
		if i >= 0 {
			return c.plugins[i]
		}
	}
	return nil
}

// kubeEntries adds an entry for each scope of a plugin.
func (l *loader) kubeEntries(p *kubePlugin) {
	n := l.entryOf(p)
	places := len(p.entities[partService]) + len(p.entities[partRoute])
	if people := len(p.entities[partConsumer]) + len(p.entities[partGroup]); places*people > maxBindings {
		l.problem(p.n.pos, "", "got more than %d scopes of one plugin", maxBindings)
		return
	}
	scopes := p.scopes()
	if len(scopes) == 0 {
		l.warn(p.n.pos, "", p.n.get("kind").str()+" "+quoted(p.n.at("metadata", "name"))+" is bound to nothing")
		l.entries = append(l.entries, entry{n: n, unbound: p})
	}
	for _, s := range scopes {
		l.entries = append(l.entries, entry{n: n, scope: s})
	}
}

// scopes returns what a plugin applies to. Bound to consumers or groups and to
// routes or services it applies where both meet, as Kong's controller has it.
func (p *kubePlugin) scopes() []Scope {
	places := []Scope{}
	for _, s := range p.entities[partService] {
		places = append(places, Scope{Service: s})
	}
	for _, r := range p.entities[partRoute] {
		places = append(places, Scope{Route: r})
	}
	people := []Scope{}
	for _, c := range p.entities[partConsumer] {
		people = append(people, Scope{Consumer: c})
	}
	for _, g := range p.entities[partGroup] {
		people = append(people, Scope{ConsumerGroup: g})
	}
	scopes := append([]Scope{}, places...)
	if len(people) > 0 {
		scopes = people
	}
	if len(people) > 0 && len(places) > 0 {
		scopes = nil
		for _, s := range people {
			for _, at := range places {
				scopes = append(scopes, Scope{at.Service, at.Route, s.Consumer, s.ConsumerGroup})
			}
		}
	}
	if p.global {
		scopes = append(scopes, Scope{})
	}
	return scopes
}
