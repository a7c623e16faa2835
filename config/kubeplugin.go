package config

import (
	"encoding/base64"
	"fmt"
	"regexp"
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
			config = l.secretTree(p, "configFrom", f.value)
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

// secretTree returns the value a "secretKeyRef" below n refers to, read as JSON or
// YAML. It is a broken node where it cannot be had.
func (l *loader) secretTree(p *kubePlugin, path string, n *node) *node {
	broken := &node{kind: kindObject, pos: n.pos, broken: true}
	ref, path := n.get("secretKeyRef"), join(path, "secretKeyRef")
	key := objectKey{p.key.namespace, ref.get("name").str()}
	if p.key.namespace == "" {
		key.namespace = ref.get("namespace").str()
	}
	name := ref.get("key").str()
	if key.name == "" || name == "" {
		l.want(n.pos, path, "no reference", "the name and the key of a secret")
		return broken
	}
	if l.symbols != nil {
		return l.secretSymbol(ref, path, name)
	}
	text, ok := secretText(l.cluster.secrets[key], name)
	if !ok {
		l.problem(ref.pos, path, "no key %s of a secret %s in the files", quoted(ref.get("key")), quoted(ref.get("name")))
		return broken
	}
	trees, faults := newDocument("", []byte(text)).parse()
	if len(faults) > 0 || len(trees) != 1 {
		l.want(ref.pos, path, "a secret that is none", "one value of JSON or YAML")
		return broken
	}
	if l.values += trees[0].size; l.values > maxValues {
		l.problem(ref.pos, path, "got more than %d values, secrets counted as often as they are used", maxValues)
		return broken
	}
	return hidden(trees[0], ref.pos)
}

// secretSymbol stands for a value of a secret in a conversion.
func (l *loader) secretSymbol(ref *node, path, key string) *node {
	if strings.HasPrefix(path, "configFrom") {
		l.problem(ref.pos, path, "the whole config is in a secret, which cannot be converted")
		return &node{kind: kindObject, pos: ref.pos, broken: true}
	}
	name := variableName(ref.get("name").str() + "_" + key)
	l.warn(ref.pos, path, "the value of the secret becomes the variable "+name)
	return &node{kind: kindString, pos: ref.pos, text: l.symbols.add(symbol{name: name}), hidden: true, broken: true}
}

// isReference reports whether a text refers to the environment.
func isReference(text string) bool {
	return strings.HasPrefix(text, "$") || strings.HasPrefix(text, "{vault://") || strings.HasPrefix(text, symbolOpen)
}

// variableName returns a name as variables have it.
func variableName(text string) string {
	return strings.ToUpper(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(text, "_"))
}

// secretText returns what a secret holds under a name.
func secretText(secret *node, name string) (string, bool) {
	if n := secret.at("stringData", name); n != nil {
		return n.text, n.kind == kindString
	}
	n := secret.at("data", name)
	if n == nil {
		return "", false
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(n.text))
	return string(text), err == nil
}

// hidden returns a copy of a tree that no message shows, with the place that
// refers to it.
func hidden(n *node, pos Position) *node {
	c := *n
	c.pos, c.hidden = pos, true
	c.items = slices.Clone(n.items)
	for i, item := range c.items {
		c.items[i] = hidden(item, pos)
	}
	c.fields = slices.Clone(n.fields)
	for i, f := range c.fields {
		c.fields[i] = field{name: f.name, pos: pos, hidden: true, value: hidden(f.value, pos)}
	}
	return &c
}

// patch returns the settings with the value of a secret added where a JSON pointer
// says, by the rules of RFC 6902's "add".
func (l *loader) patch(p *kubePlugin, path string, config, patch *node) *node {
	pointer := patch.get("path")
	value := l.secretTree(p, join(path, "valueFrom"), orEmpty(patch.get("valueFrom"), patch.pos))
	text, ok := strings.CutPrefix(pointer.str(), "/")
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
