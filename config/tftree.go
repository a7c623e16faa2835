package config

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Marks travel with the values that cty computes.

// sensitiveMark is on values of the environment, of .tfvars files, and of what
// Terraform calls sensitive. No message shows them.
const sensitiveMark = tfMark("sensitive")

// tfMark is a mark without more.
type tfMark string

// symbolMark is on values that were made from the variable a symbol stands for.
type symbolMark string

// origin is a mark of literals: where one is, and how a number is written.
type origin struct {
	pos  Position
	text string
}

func newOrigin(pos Position, text string) *origin {
	if !jsonNumber(text) {
		text = ""
	}
	return &origin{pos, text}
}

// valueMarks are the marks of a value and of what it is part of.
type valueMarks struct {
	hidden  bool
	symbols []string
	origins []*origin
}

func marksOf(v cty.Value) valueMarks {
	var m valueMarks
	for mark := range v.Marks() {
		switch mark := mark.(type) {
		case tfMark:
			m.hidden = true
		case symbolMark:
			m.symbols = append(m.symbols, string(mark))
		case *origin:
			m.origins = append(m.origins, mark)
		}
	}
	slices.Sort(m.symbols)
	return m
}

// maxExponent bounds numbers, as powers of two: their digits become texts.
const maxExponent = 4096

// markLiterals marks the literals of a part of a file with their origins, so that
// numbers keep their text and values their place. It returns the fault of a number that
// is too large.
func (f *tfFile) markLiterals(n hclsyntax.Node, position func(*hclsyntax.LiteralValueExpr) Position) *Fault {
	var fault *Fault
	_ = hclsyntax.VisitAll(n, func(n hclsyntax.Node) hcl.Diagnostics {
		l, ok := n.(*hclsyntax.LiteralValueExpr)
		if !ok || l.Val.IsNull() || l.Val.IsMarked() {
			return nil
		}
		text := ""
		switch l.Val.Type() {
		case cty.Number:
			if r := l.SrcRange; r.End.Byte <= len(f.text) && r.Start.Byte <= r.End.Byte {
				text = string(f.text[r.Start.Byte:r.End.Byte])
			}
			if tooLarge(l.Val.AsBigFloat()) {
				fault = &Fault{Position: position(l), Problem: "got a number that is too large"}
				return nil
			}
		case cty.String:
			text = l.Val.AsString()
		}
		l.Val = l.Val.Mark(newOrigin(position(l), text))
		return nil
	})
	return fault
}

func tooLarge(n *big.Float) bool {
	exponent := n.MantExp(nil)
	return n.IsInf() || exponent > maxExponent || exponent < -maxExponent
}

// weight returns how many values a value consists of, long texts counted more than
// once. It stops counting beyond maxValues.
func weight(v cty.Value) int {
	left := maxValues + 1
	weigh(v, &left)
	return maxValues + 1 - left
}

func weigh(v cty.Value, left *int) {
	v, _ = v.Unmark()
	*left--
	switch ty := v.Type(); {
	case *left <= 0 || !v.IsKnown() || v.IsNull():
	case ty == cty.String:
		*left -= len(v.AsString()) / 64
	case ty == cty.Number && tooLarge(v.AsBigFloat()):
		*left = 0
	case v.CanIterateElements():
		for it := v.ElementIterator(); *left > 0 && it.Next(); {
			_, element := it.Element()
			weigh(element, left)
		}
	}
	*left = max(*left, 0)
}

// treeBuilder turns values into trees.
type treeBuilder struct {
	t  *tfEvaluator
	at tfPlace
}

// tree returns the tree of a value that is part of one with the marks around it. Parts
// of it stand where their literals do, if that is one place.
func (c treeBuilder) tree(v cty.Value, pos Position, around valueMarks) *node {
	m := marksOf(v)
	m.hidden = m.hidden || around.hidden
	m.symbols = append(m.symbols, around.symbols...)
	v, _ = v.Unmark()
	n := &node{pos: pos, hidden: m.hidden}
	switch {
	case !v.IsKnown() && len(m.symbols) > 0: // of a type that is not known
		n.kind, n.text, n.broken = kindString, m.symbols[0], true
	case !v.IsKnown():
		return brokenValue(pos)
	case v.IsNull():
	case v.Type().IsPrimitiveType():
		return c.scalar(n, v, m)
	case v.Type().IsObjectType() || v.Type().IsMapType():
		n.kind = kindObject
		for it := v.ElementIterator(); it.Next(); {
			name, element := it.Element()
			value := c.tree(element, positionOf(element, pos), m)
			n.fields = append(n.fields, field{name: name.AsString(), pos: value.pos, hidden: m.hidden, value: value})
		}
	case v.CanIterateElements():
		n.kind = kindList
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			n.items = append(n.items, c.tree(element, positionOf(element, pos), m))
		}
	default:
		return c.t.notTerm(c.at, pos, "got a value of a type that configurations do not have")
	}
	return n
}

// positionOf returns the place of a value's literal, or another where it has none or
// several.
func positionOf(v cty.Value, otherwise Position) Position {
	if origins := marksOf(v).origins; len(origins) == 1 {
		return origins[0].pos
	}
	return otherwise
}

// scalar returns the tree of a text, a number or a boolean. In a conversion one that
// was made from a variable must hold the variable's symbol as it is.
func (c treeBuilder) scalar(n *node, v cty.Value, m valueMarks) *node {
	switch v.Type() {
	case cty.String:
		n.kind, n.text = kindString, v.AsString()
	case cty.Bool:
		n.kind, n.text = kindBool, strconv.FormatBool(v.True())
	default:
		n.text = numberText(v.AsBigFloat(), m.origins)
		n.kind = kindInt
		if strings.ContainsAny(n.text, ".eE") {
			n.kind = kindFloat
		}
	}
	for _, s := range m.symbols {
		if !strings.Contains(n.text, s) {
			return c.t.notTerm(c.at, n.pos, "it depends on the value of a variable, which cannot be converted")
		}
		n.broken = true
	}
	return n
}

// numberText returns a number as the file writes it, where it is a literal's, and else
// as JSON does.
func numberText(n *big.Float, origins []*origin) string {
	texts := []string{}
	for _, o := range origins {
		literal, err := cty.ParseNumberVal(o.text)
		switch {
		case o.text == "" || err != nil:
		case literal.AsBigFloat().Cmp(n) == 0:
			texts = append(texts, o.text)
		case new(big.Float).Neg(literal.AsBigFloat()).Cmp(n) == 0:
			texts = append(texts, strings.TrimPrefix("-"+o.text, "--"))
		}
	}
	if len(texts) > 0 {
		return slices.Min(texts)
	}
	if n.IsInt() {
		return n.Text('f', 0)
	}
	f, _ := n.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}
