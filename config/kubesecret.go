package config

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// secretTree returns the value a "secretKeyRef" below n refers to, read as JSON or
// YAML, for a field of the table. It is a broken node where it cannot be had.
func (l *loader) secretTree(p *kubePlugin, path string, n *node, s *spec) *node {
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
	text, ok := secretText(l.secret(key, ref, path), name)
	variable := variableName(key.name + "_" + name)
	if l.symbols != nil && !ok && s != l.table.fields["config"] {
		return l.secretSymbol(ref.pos, path, variable) // what it is need not be known
	}
	if !ok && !l.allowUnset {
		l.problem(ref.pos, path, "%s", l.noSecret("no key "+quoted(ref.get("key"))+" of a secret "+quoted(ref.get("name"))))
	}
	if !ok {
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
	tree := hidden(trees[0], ref.pos)
	if l.symbols == nil {
		return tree
	}
	if tree.kind != kindObject && tree.kind != kindList {
		return l.secretSymbol(ref.pos, path, variable)
	}
	return l.withSymbols(tree, s, path, variable)
}

// secretSymbol stands for a value of a secret in a conversion.
func (l *loader) secretSymbol(pos Position, path, variable string) *node {
	l.warn(pos, path, "the value of the secret becomes the variable "+variable)
	return &node{kind: kindString, pos: pos, text: l.symbols.add(symbol{name: variable}), hidden: true, broken: true}
}

// withSymbols returns a tree out of a secret in which variables stand for the
// credentials. They are called after the secret and the place within it.
func (l *loader) withSymbols(n *node, s *spec, path, variable string) *node {
	if s == nil || s.freeForm {
		return n
	}
	// A secret's "$NAME" is no reference, whereas a vault's is one wherever it stands.
	if s.secret && n.kind == kindString && !strings.HasPrefix(n.text, "{vault://") {
		return l.secretSymbol(n.pos, path, variable)
	}
	c := *n
	c.items = slices.Clone(n.items)
	for i, item := range c.items {
		c.items[i] = l.withSymbols(item, s.item, path, fmt.Sprintf("%s_%d", variable, i))
	}
	c.fields = slices.Clone(n.fields)
	for i, f := range c.fields {
		c.fields[i].value = l.withSymbols(f.value, s.fields[f.name], path, variable+"_"+variableName(f.name))
	}
	return &c
}

// below returns the field that a JSON pointer leads to, or nil.
func (s *spec) below(pointer []string) *spec {
	for _, name := range pointer {
		switch {
		case s == nil:
			return nil
		case s.kind == kindList:
			s = s.item
		default:
			s = s.fields[name]
		}
	}
	return s
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
