package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// entryOf returns the entry of a plugin resource in the form other formats have
// it: with "name" and "enabled", and with what its secrets hold.
func (l *loader) entryOf(p *kubePlugin) *node {
	entry := &node{kind: kindObject, pos: p.n.pos}
	set := func(name string, at Position, value *node) {
		entry.fields = append(entry.fields, field{name: name, pos: at, value: value})
	}
	config := p.n.get("config")
	for _, f := range p.n.fields {
		switch f.name {
		case "apiVersion", "kind", "metadata", "status", "configPatches", "config":
		case "plugin":
			set("name", f.pos, f.value)
		case "disabled":
			set("enabled", f.pos, l.inverted(f.value))
		case "configFrom":
			if config != nil {
				l.problem(f.pos, "configFrom", "got both config and configFrom, want one of them")
			}
			config = l.secretTree(p, "configFrom", f.value, l.table.fields["config"])
		default:
			set(f.name, f.pos, f.value)
		}
	}
	for i, patch := range l.listOf("configPatches", p.n, "configPatches") {
		config = l.patch(p, fmt.Sprintf("configPatches[%d]", i), config, patch)
	}
	if config != nil {
		set("config", config.pos, config)
	}
	if tags := annotation(p.n, annotationTags); tags != nil {
		list := &node{kind: kindList, pos: tags.pos}
		for _, tag := range commaSeparated(tags.str()) {
			list.items = append(list.items, &node{kind: kindString, pos: tags.pos, text: tag})
		}
		if len(list.items) > 0 {
			set("tags", tags.pos, list)
		}
	}
	return entry
}

// inverted returns the opposite of a boolean.
func (l *loader) inverted(n *node) *node {
	b, ok := n.boolean()
	if !ok {
		if n.kind != kindNull && !n.broken {
			l.want(n.pos, "disabled", shown(&spec{kind: kindBool}, n), "true or false")
		}
		return &node{pos: n.pos}
	}
	return &node{kind: kindBool, pos: n.pos, text: strconv.FormatBool(!b)}
}

// patch returns the settings with the value of a secret added where a JSON pointer
// says, by the rules of RFC 6902's "add".
func (l *loader) patch(p *kubePlugin, path string, config, patch *node) *node {
	pointer := patch.get("path")
	text, ok := strings.CutPrefix(pointer.str(), "/")
	field := l.table.fields["config"].below(strings.Split(text, "/"))
	value := l.secretTree(p, join(path, "valueFrom"), orEmpty(patch.get("valueFrom"), patch.pos), field)
	if !ok {
		l.want(patch.pos, join(path, "path"), "no pointer", "a JSON pointer such as /targets/0/auth")
		return config
	}
	if config == nil {
		config = &node{kind: kindObject, pos: patch.pos}
	}
	patched, ok := add(config, strings.Split(text, "/"), value)
	if !ok {
		l.problem(pointer.pos, join(path, "path"), "no place for it in the config")
		return config
	}
	return patched
}

// orEmpty returns n, or an empty object where there is none.
func orEmpty(n *node, pos Position) *node {
	if n == nil {
		return &node{kind: kindObject, pos: pos}
	}
	return n
}

// add returns n with a value at a pointer. All but the last of its parts must be
// there.
func add(n *node, pointer []string, value *node) (*node, bool) {
	name := strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer[0])
	switch n.kind {
	case kindObject:
		if len(pointer) == 1 {
			return n.with(name, value), true
		}
		child := n.get(name)
		if child == nil {
			return nil, false
		}
		child, ok := add(child, pointer[1:], value)
		if !ok {
			return nil, false
		}
		return n.with(name, child), true
	case kindList:
		return addElement(n, name, pointer[1:], value)
	default:
		return nil, false
	}
}

// addElement adds a value before or, where more of the pointer follows, into an
// element of a list. "-" is behind the last one.
func addElement(n *node, name string, rest []string, value *node) (*node, bool) {
	i, err := strconv.Atoi(name)
	if name == "-" {
		i, err = len(n.items), nil
	}
	if err != nil || i < 0 || i > len(n.items) || len(rest) > 0 && i == len(n.items) {
		return nil, false
	}
	c := *n
	if len(rest) == 0 {
		c.items = slices.Insert(slices.Clone(n.items), i, value)
		return &c, true
	}
	child, ok := add(n.items[i], rest, value)
	c.items = slices.Clone(n.items)
	c.items[i] = child
	return &c, ok
}
