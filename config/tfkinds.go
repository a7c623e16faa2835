package config

import (
	"slices"
	"strings"
)

// converted returns a tree in which scalars are of the kinds that the table asks
// for, where Terraform converts them.
func converted(s *spec, n *node) *node {
	if s == nil || n.broken || s.freeForm {
		return n
	}
	c := *n
	switch {
	case s.kind == kindBool && n.kind == kindString && (n.text == "true" || n.text == "false"):
		c.kind = kindBool
	case (s.kind == kindInt || s.kind == kindFloat) && n.kind == kindString && jsonNumber(n.text):
		c.kind = kindInt
		if strings.ContainsAny(n.text, ".eE") {
			c.kind = kindFloat
		}
	case s.kind == kindString && (n.kind == kindInt || n.kind == kindFloat || n.kind == kindBool):
		c.kind = kindString
	}
	c.items = slices.Clone(n.items)
	for i, item := range c.items {
		if s.item != nil {
			c.items[i] = converted(s.item, item)
		}
	}
	c.fields = slices.Clone(n.fields)
	for i, f := range c.fields {
		c.fields[i].value = converted(s.fields[f.name], f.value)
	}
	return &c
}

// without returns a copy of an object that lacks a field.
func (n *node) without(name string) *node {
	c := *n
	c.fields = slices.DeleteFunc(slices.Clone(n.fields), func(f field) bool { return f.name == name })
	return &c
}
