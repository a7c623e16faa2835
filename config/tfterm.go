package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// tfPlace is where an expression is, for faults.
type tfPlace struct {
	file *tfFile
	path string
}

// term returns the value of an expression. What cannot be had is a fault, and
// broken. Values of locals are shared, so that a file cannot make much of little.
func (l *loader) term(at tfPlace, e hclsyntax.Expression) *node {
	n := &node{pos: at.file.position(e.Range())}
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return l.literal(at, n, e)
	case *hclsyntax.TemplateExpr:
		return l.template(at, n, e)
	case *hclsyntax.TemplateWrapExpr:
		return l.term(at, e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return l.term(at, e.Expression)
	case *hclsyntax.UnaryOpExpr:
		if n = l.term(at, e.Val); e.Op == hclsyntax.OpNegate && (n.kind == kindInt || n.kind == kindFloat) && n.text[0] != '-' {
			c := *n
			c.text = "-" + n.text
			return &c
		}
	case *hclsyntax.TupleConsExpr:
		n.kind = kindList
		for i, item := range e.Exprs {
			n.items = append(n.items, l.term(tfPlace{at.file, fmt.Sprintf("%s[%d]", at.path, i)}, item))
		}
		return l.bounded(at, n)
	case *hclsyntax.ObjectConsExpr:
		return l.hclObject(at, n, e)
	case *hclsyntax.ScopeTraversalExpr:
		return l.traversal(at, n.pos, e.Traversal)
	case *hclsyntax.FunctionCallExpr:
		return l.hclCall(at, n, e)
	}
	return l.notTerm(at, n.pos, "not supported yet: an expression of that kind")
}

// notTerm is a fault; it returns a value for it.
func (l *loader) notTerm(at tfPlace, pos Position, format string, args ...any) *node {
	l.problem(pos, at.path, format, args...)
	return &node{kind: kindString, pos: pos, hidden: true, broken: true}
}

// bounded returns a list or an object, unless it is beyond the bounds.
func (l *loader) bounded(at tfPlace, n *node) *node {
	if err := n.seal(); err != nil {
		return l.notTerm(at, n.pos, "%s", err)
	}
	return n
}

func (l *loader) literal(at tfPlace, n *node, e *hclsyntax.LiteralValueExpr) *node {
	switch {
	case e.Val.IsNull():
	case e.Val.Type() == cty.Bool:
		n.kind, n.text = kindBool, strconv.FormatBool(e.Val.True())
	case e.Val.Type() == cty.Number:
		r := e.Range()
		n.kind, n.text = kindInt, string(at.file.text[r.Start.Byte:r.End.Byte])
		if strings.ContainsAny(n.text, ".eE") {
			n.kind = kindFloat
		}
	default:
		n.kind, n.text = kindString, e.Val.AsString()
	}
	return n
}

// template returns the text of a quoted string or of a heredoc.
func (l *loader) template(at tfPlace, n *node, e *hclsyntax.TemplateExpr) *node {
	var text strings.Builder
	n.kind = kindString
	for _, part := range e.Parts {
		p := l.term(at, part)
		switch {
		case p.broken && p.text == "":
			n.broken = true
		case p.kind == kindNull || p.kind == kindList || p.kind == kindObject:
			return l.notTerm(at, p.pos, "got %s in a string, want a text", article(p.kind))
		}
		n.hidden, n.broken = n.hidden || p.hidden, n.broken || p.broken
		if l.tf.text += len(p.text); l.tf.text > maxTermText {
			return l.notTerm(at, n.pos, "too much text")
		}
		text.WriteString(p.text)
	}
	n.text = text.String()
	if _, whole := e.Parts[0].(*hclsyntax.LiteralValueExpr); whole && len(e.Parts) == 1 {
		l.variableWords(at, n)
	}
	return n
}

// variableWords fills in words such as var.key that are written into a string,
// where Terraform takes them literally: published examples mean the variable.
func (l *loader) variableWords(at tfPlace, n *node) {
	if !strings.Contains(n.text, "var.") {
		return
	}
	variable := regexp.MustCompile(`^var\.([\pL_][\pL\pN_-]*)$`)
	n.text = regexp.MustCompile(`\S+`).ReplaceAllStringFunc(n.text, func(word string) string {
		m := variable.FindStringSubmatch(word)
		if m == nil {
			return word
		}
		if l.tf.variables[m[1]] == nil {
			l.warn(n.pos, at.path, printable(word)+" is no variable that is declared; it is taken literally")
			return word
		}
		l.warn(n.pos, at.path, "Terraform takes "+limited(word)+" in a string literally; it is filled in here: write ${"+limited(word)+"}")
		value := l.variable(at, n.pos, m[1])
		if l.tf.text += len(value.text); l.tf.text > maxTermText {
			return word
		}
		n.hidden, n.broken = true, n.broken || value.broken
		return value.text
	})
}

func (l *loader) hclObject(at tfPlace, n *node, e *hclsyntax.ObjectConsExpr) *node {
	n.kind = kindObject
	for _, item := range e.Items {
		f := field{pos: at.file.position(item.KeyExpr.Range())}
		if f.name = hcl.ExprAsKeyword(item.KeyExpr); f.name == "" {
			key, ok := item.KeyExpr.(*hclsyntax.ObjectConsKeyExpr)
			if !ok {
				return l.notTerm(at, f.pos, "got a name that is no string")
			}
			name := l.term(at, key.Wrapped)
			if name.kind != kindString || name.broken {
				return l.notTerm(at, f.pos, "got a name that is no string")
			}
			f.name, f.hidden = name.text, name.hidden
		}
		f.value = l.term(tfPlace{at.file, join(at.path, fieldName(&spec{}, f))}, item.ValueExpr)
		n.fields = append(n.fields, f)
	}
	return l.bounded(at, n)
}

// traversal returns what a reference such as var.a, local.b.c[0] or
// konnect_gateway_route.r.id means.
func (l *loader) traversal(at tfPlace, pos Position, t hcl.Traversal) *node {
	name := func(i int) string {
		if i < len(t) {
			if a, ok := t[i].(hcl.TraverseAttr); ok {
				return a.Name
			}
		}
		return ""
	}
	var n *node
	switch root := t.RootName(); {
	case root == "var" && name(1) != "":
		n, t = l.variable(at, pos, name(1)), t[2:]
	case root == "local" && name(1) != "":
		n, t = l.local(at, pos, name(1)), t[2:]
	default:
		kind, ok := kongType(root)
		if !ok || name(1) == "" || name(2) == "" || len(t) > 3 {
			return l.notTerm(at, pos, "not supported yet: a reference to %s", printable(root))
		}
		return l.attribute(at, pos, tfReference{kind, name(1), name(2)})
	}
	for _, step := range t {
		if n.broken {
			return n
		}
		next := stepInto(n, step)
		if next == nil {
			return l.notTerm(at, pos, "no such value in %s", printable(name(1)))
		}
		n = next
	}
	c := *n
	c.pos = pos
	return &c
}

// stepInto returns a field or an element, or nil.
func stepInto(n *node, step hcl.Traverser) *node {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return n.get(step.Name)
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String {
			return n.get(step.Key.AsString())
		}
		i, accuracy := step.Key.AsBigFloat().Int64()
		if accuracy == 0 && i >= 0 && i < int64(len(n.items)) {
			return n.items[i]
		}
	}
	return nil
}
