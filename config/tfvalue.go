package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// variable returns the value of a variable: that of a .tfvars file, of the
// environment's TF_VAR_name, or its default.
func (l *loader) variable(at tfPlace, pos Position, name string) *node {
	v := l.tf.variables[name]
	if v == nil {
		return l.notTerm(at, pos, "no variable %s is declared", printable(name))
	}
	if v.value == nil {
		v.value = l.variableValue(v, name)
	}
	if v.value.broken && v.value.text == "" {
		return l.notTerm(at, pos, "variable %s has no value: export TF_VAR_%s=…", limited(name), limited(name))
	}
	c := *v.value
	c.pos = pos
	return &c
}

func (l *loader) variableValue(v *tfVariable, name string) *node {
	place := tfPlace{v.file, "var." + name}
	if v.given != nil {
		return hidden(l.term(place, v.given), v.pos)
	}
	useDefault := v.fallback != nil
	if l.symbols != nil {
		if useDefault && !v.sensitive {
			l.warn(v.pos, place.path, "the default takes the variable's place")
			return l.term(place, v.fallback)
		}
		return &node{kind: kindString, hidden: true, broken: true, text: l.symbols.add(symbol{name: strings.ToUpper(name)})}
	}
	text, ok := l.env("TF_VAR_" + name)
	switch {
	case ok && v.complex:
		return l.complexValue(v, place, text)
	case ok && text != "":
		return &node{kind: kindString, pos: v.pos, text: text, hidden: true}
	case useDefault:
		n := l.term(place, v.fallback)
		if v.sensitive {
			return hidden(n, n.pos)
		}
		return n
	case l.allowUnset:
		return &node{kind: kindString, pos: v.pos, text: "unknown", hidden: true, broken: true}
	default:
		return &node{kind: kindString, pos: v.pos, hidden: true, broken: true}
	}
}

// complexValue returns the value of a variable that is a list or an object, which
// the environment has as an expression.
func (l *loader) complexValue(v *tfVariable, at tfPlace, text string) *node {
	file := &tfFile{name: v.file.name, text: []byte(text)}
	bad := func() *node {
		return l.notTerm(at, v.pos, "got a value in the environment that is no expression of the variable's type")
	}
	if len(text) > maxFileBytes || file.measure() != nil {
		return bad()
	}
	e, diags := hclsyntax.ParseExpression(file.text, file.name, hcl.InitialPos)
	if diags.HasErrors() {
		return bad()
	}
	before := len(l.faults)
	n := hidden(l.term(tfPlace{file, at.path}, e), v.pos)
	if len(l.faults) > before {
		l.faults = l.faults[:before]
		return bad()
	}
	return n
}

// local returns a local value.
func (l *loader) local(at tfPlace, pos Position, name string) *node {
	v := l.tf.locals[name]
	switch {
	case v == nil:
		return l.notTerm(at, pos, "no local value %s is declared", printable(name))
	case v.asking:
		return l.notTerm(at, pos, "local value %s contains itself", printable(name))
	case v.value == nil:
		v.asking = true
		v.value = l.term(tfPlace{v.file, "local." + name}, v.expr)
		v.asking = false
	}
	return v.value
}

// tfReference is a reference to a resource's attribute.
type tfReference struct{ kind, label, attribute string }

// attribute returns an attribute of a resource. Its id is the name it goes by here.
func (l *loader) attribute(at tfPlace, pos Position, ref tfReference) *node {
	r := l.tf.resources[ref.kind+"."+ref.label]
	if ref.attribute == "id" {
		if r == nil {
			return &node{kind: kindString, pos: pos, text: ref.label}
		}
		return &node{kind: kindString, pos: pos, text: l.identity(r)}
	}
	if r == nil || r.body.Attributes[ref.attribute] == nil || r.asking {
		return l.notTerm(at, pos, "no such value in %s", printable(ref.label))
	}
	r.asking = true
	defer func() { r.asking = false }()
	return l.term(tfPlace{r.file, join(r.path(), ref.attribute)}, r.body.Attributes[ref.attribute].Expr)
}

// identity returns the name that stands for an entity: the one it has, else its
// label.
func (l *loader) identity(r *tfResource) string {
	if r.asking {
		return r.label
	}
	r.asking = true
	defer func() { r.asking = false }()
	for _, name := range []string{"name", "username", "id", "custom_id"} {
		if a := r.body.Attributes[name]; a != nil {
			return firstOf(l.term(tfPlace{r.file, join(r.path(), name)}, a.Expr).str(), r.label)
		}
	}
	return r.label
}

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
