package config

import (
	"reflect"
	"strings"
)

// plugin checks an entry and adds it to the configuration.
func (l *loader) plugin(e entry, names *Names) {
	before := len(l.faults)
	if e.n = l.withShared(e); e.n.broken {
		return
	}
	r := resolver{env: l.env, keepVault: l.symbols != nil, allowUnset: l.allowUnset}
	if l.symbols != nil {
		r.env = l.symbols.variable
	}
	e.n = r.value(e.path, l.table, e.n)
	l.faults = append(l.faults, r.faults...)
	l.value(e.path, l.table, e.n)
	root := place{path: e.path, n: e.n, pos: e.n.pos}
	l.rules(root)
	l.supported(l.table, root)
	var scope Scope
	if e.unbound == nil {
		scope = l.scope(e, root, names)
	}
	switch {
	case len(l.faults) > before:
		return
	case l.symbols != nil:
		l.converted = append(l.converted, entry{n: normal(l.table, e.n), scope: scope, unbound: e.unbound})
		return
	case e.unbound != nil:
		return
	}
	p := Plugin{Name: pluginName, Scope: scope, Position: e.n.pos}
	decode(l.table.fields["id"], e.n.get("id"), reflect.ValueOf(&p.ID).Elem())
	decode(l.table.fields["instance_name"], e.n.get("instance_name"), reflect.ValueOf(&p.InstanceName).Elem())
	decode(l.table.fields["enabled"], e.n.get("enabled"), reflect.ValueOf(&p.Enabled).Elem())
	decode(l.table.fields["tags"], e.n.get("tags"), reflect.ValueOf(&p.Tags).Elem())
	decode(l.table.fields["config"], e.n.get("config"), reflect.ValueOf(&p.Settings).Elem())
	l.config.Plugins = append(l.config.Plugins, p)
}

// scope returns what an entry applies to: what its place says and what it says
// itself. Only one instance may apply to the same.
func (l *loader) scope(e entry, root place, names *Names) Scope {
	s, valid := e.scope, true
	parts := []*string{&s.Service, &s.Route, &s.Consumer, &s.ConsumerGroup}
	for i, name := range scopeNames() {
		p := root.at(name)
		if !p.set() {
			continue
		}
		given, ok := p.n.reference()
		given = names.Of(name, given)
		if ok && *parts[i] != "" && *parts[i] != given {
			l.problem(p.pos, p.path, "got another %s than the one around the plugin", name)
		}
		*parts[i], valid = given, valid && ok
		if names.Missing(name, given) {
			l.warn(p.pos, p.path, "no such "+strings.ReplaceAll(name, "_", " ")+" is in the files")
		}
	}
	if s.Consumer != "" && s.ConsumerGroup != "" {
		l.problem(e.n.pos, e.path, "got a consumer and a consumer_group, want one of them")
	}
	if first, ok := l.seen[s]; ok && valid {
		l.problem(e.n.pos, e.path, "got a second %s of the same scope, first at %s", pluginName, first)
	} else if valid {
		l.seen[s] = e.n.pos
	}
	return s
}
