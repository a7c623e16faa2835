package config

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// writer writes instances and entities in a format.
type writer struct {
	plugins  []entry
	entities []keptEntity
	symbols  *symbols
	// table describes the entities, and settings the instances.
	table    *spec
	settings *spec
	warnings []Warning
}

func (w *writer) write(to Format) ([]byte, error) {
	for _, s := range w.symbols.all {
		switch {
		case to == FormatDeck:
		case !s.direct():
			return nil, fmt.Errorf("convert to %s: the value of %s goes through a template, which only deck has", to, s.name)
		case s.outside && to == FormatKubernetes:
			return nil, fmt.Errorf("convert to %s: %s is used outside of a secret, which kubernetes cannot", to, s.name)
		}
	}
	if to != FormatKubernetes {
		w.switchOff()
	}
	if to == FormatAdmin || to == FormatKonnect || to == FormatTerraform {
		w.addHosts()
	}
	switch to {
	case FormatDeck:
		return w.deck()
	case FormatAdmin, FormatKonnect:
		return w.script(to)
	case FormatKubernetes:
		return w.kubernetes()
	case FormatTerraform:
		return w.terraform()
	default:
		return nil, fmt.Errorf("convert to %q: want deck, kubernetes, terraform, admin-api or konnect", to)
	}
}

// addHosts gives services a host, which Kong's APIs ask for.
func (w *writer) addHosts() {
	for i, e := range w.entities {
		if e.kind == "service" && e.n.get("host") == nil && e.n.get("url") == nil {
			w.entities[i].n = e.n.with("host", text("localhost"))
			w.warn("service %s has no host; localhost stands for it", printable(e.name))
		}
	}
}

// switchOff keeps an instance that is bound to nothing as a global one that is
// disabled: other formats than Kubernetes' have nothing that applies nowhere. There
// can be one such instance; what another says is in force nowhere either.
func (w *writer) switchOff() {
	global := slices.ContainsFunc(w.plugins, func(p entry) bool { return p.unbound == nil && p.scope.Global() })
	var kept []entry
	for _, p := range w.plugins {
		if p.unbound != nil {
			name := p.unbound.n.get("kind").str() + " " + quoted(p.unbound.n.at("metadata", "name"))
			if global {
				w.warn("%s is bound to nothing, and is left out: there is a global instance already", name)
				continue
			}
			w.warn("%s is bound to nothing: it becomes a global instance that is disabled", name)
			p.n, p.unbound, global = p.n.with("enabled", &node{kind: kindBool, text: "false"}), nil, true
		}
		kept = append(kept, p)
	}
	w.plugins = kept
}

func (w *writer) warn(format string, args ...any) {
	w.warnings = append(w.warnings, Warning{Text: fmt.Sprintf(format, args...)})
}

// entity returns the entity of a kind and a name, or nil where there is none.
func (w *writer) entity(kind, name string) *keptEntity {
	for i, e := range w.entities {
		if e.kind == kind && e.name == name {
			return &w.entities[i]
		}
	}
	return nil
}

// ref returns a reference to an entity, as Kong's APIs take it.
func (w *writer) ref(kind, name string) *node {
	key := "name"
	if kind == "consumer" {
		key = "username"
	}
	if e := w.entity(kind, name); e != nil && e.n.get("id").str() == name {
		key = "id"
	}
	return object(key, text(name))
}

// normal returns a checked tree with every boolean as one, whichever word it is
// written with.
func normal(s *spec, n *node) *node {
	if s == nil || n.broken {
		return n
	}
	c := *n
	if b, ok := n.boolean(); ok && s.kind == kindBool {
		c.kind, c.text = kindBool, strconv.FormatBool(b)
	}
	c.items = slices.Clone(n.items)
	for i, item := range c.items {
		c.items[i] = normal(s.item, item)
	}
	c.fields = slices.Clone(n.fields)
	for i, f := range c.fields {
		c.fields[i].value = normal(s.fields[f.name], f.value)
	}
	return &c
}

// text returns a string node.
func text(s string) *node { return &node{kind: kindString, text: s} }

// object returns an object of names and values in turn.
func object(pairs ...any) *node {
	n := &node{kind: kindObject}
	for i := 0; i+1 < len(pairs); i += 2 {
		n.fields = append(n.fields, field{name: pairs[i].(string), value: pairs[i+1].(*node)})
	}
	return n
}

// body returns an instance as most formats have it, with each part of its scope as
// ref writes it.
func (e entry) body(ref func(kind, name string) *node) *node {
	n := &node{kind: kindObject}
	for _, f := range e.n.fields {
		if f.name == "_config" || f.value.kind == kindNull && !f.value.broken || isScope(f.name) {
			continue
		}
		n.fields = append(n.fields, f)
	}
	for i, name := range e.scope.Parts() {
		if name != "" {
			n.fields = append(n.fields, field{name: scopeNames()[i], value: ref(scopeNames()[i], name)})
		}
	}
	return n
}

func isScope(name string) bool {
	for _, part := range scopeNames() {
		if name == part {
			return true
		}
	}
	return false
}

// deck writes a decK file.
func (w *writer) deck() ([]byte, error) {
	lists := map[string]*node{}
	add := func(name string, n *node) {
		list := orList(lists[name], Position{})
		list.items = append(list.items, n)
		lists[name] = list
	}
	for _, e := range w.entities {
		n := e.n
		if e.service != "" {
			n = n.with("service", w.ref("service", e.service))
		}
		if len(e.groups) > 0 {
			groups := &node{kind: kindList}
			for _, g := range e.groups {
				groups.items = append(groups.items, object("name", text(g)))
			}
			n = n.with("groups", groups)
		}
		add(e.kind+"s", n)
	}
	for _, p := range w.plugins {
		add("plugins", p.body(func(_, name string) *node { return text(name) }))
	}
	root := object("_format_version", text("3.0"))
	for _, name := range []string{"services", "routes", "consumer_groups", "consumers", "plugins"} {
		if lists[name] != nil {
			root = root.with(name, lists[name])
		}
	}
	out, err := yamlText(root)
	return []byte(w.symbols.replace(string(out), symbol.deck)), err
}

// dollar writes a variable as the shell has it, which is how it is written in
// formats that know no environment.
func dollar(s symbol) string { return "$" + s.plain() }

// jsonText appends a tree as JSON.
func jsonText(b []byte, n *node) []byte {
	switch n.kind {
	case kindObject:
		b = append(b, '{')
		for i, f := range n.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, f.name)
			b = jsonText(append(b, ':'), f.value)
		}
		return append(b, '}')
	case kindList:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = jsonText(b, item)
		}
		return append(b, ']')
	case kindString:
		b, _ = jsontext.AppendQuote(b, n.text)
		return b
	case kindNull:
		return append(b, "null"...)
	default:
		return append(b, n.scalarText()...)
	}
}

// scalarText returns a number or a boolean as JSON, YAML and Terraform write it.
func (n *node) scalarText() string {
	if n.kind == kindBool {
		b, _ := n.boolean()
		return strconv.FormatBool(b)
	}
	return string(n.numberText())
}
