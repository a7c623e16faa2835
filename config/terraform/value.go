package terraform

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// Marks travel with the values that cty computes.

// sensitiveMark is on values of the environment, of .tfvars files, and of what
// Terraform calls sensitive. No message shows them.
const sensitiveMark = mark("sensitive")

// givenMark is on values of variables and of what nonsensitive returns. Messages show
// them, but a conversion does not write them where a credential belongs.
const givenMark = given("given")

// given is the type of givenMark.
type given string

// mark is a mark that says nothing more.
type mark string

// placeholderMark is on values that were made from the variable a placeholder stands
// for.
type placeholderMark struct {
	// text is the placeholder.
	text string
	// whole is the type of a list or a map that the placeholder stands for as a whole;
	// empty for a text.
	whole string
}

// origin is a mark of literals: where one is, and how a number is written.
type origin struct {
	pos  config.Position
	text string
}

func newOrigin(pos config.Position, text string) *origin {
	if !tree.IsNumber(text) {
		text = ""
	}
	return &origin{pos, text}
}

// valueMarks are the marks of a value and of what it is part of.
type valueMarks struct {
	hidden       bool
	given        bool
	placeholders []placeholderMark
	origins      []*origin
}

func marksOf(v cty.Value) valueMarks {
	var m valueMarks
	for found := range v.Marks() {
		switch found := found.(type) {
		case mark:
			m.hidden = true
		case given:
			m.given = true
		case placeholderMark:
			m.placeholders = append(m.placeholders, found)
		case *origin:
			m.origins = append(m.origins, found)
		}
	}
	slices.SortFunc(m.placeholders, func(a, b placeholderMark) int { return strings.Compare(a.text, b.text) })
	return m
}

// maxExponent bounds numbers, as powers of two: their digits become texts.
const maxExponent = 4096

// markLiterals marks the literals of a part of a file with their origins, so that
// numbers keep their text and values their position. It returns the fault of a number
// that is too large.
func (f *file) markLiterals(n hclsyntax.Node, position func(*hclsyntax.LiteralValueExpr) config.Position) *config.Fault {
	var fault *config.Fault
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
				fault = &config.Fault{Position: position(l), Problem: "got a number that is too large"}
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
// once. It stops counting beyond tree.MaxValues.
func weight(v cty.Value) int {
	left := tree.MaxValues + 1
	weigh(v, &left)
	return tree.MaxValues + 1 - left
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

// treeBuilder turns the value of an expression into a tree.
type treeBuilder struct {
	report *report.Report
	// path is that of the expression.
	path string
	// reference is set where the expression is nothing but a reference.
	reference bool
	// converting conceals the values of variables.
	converting bool
}

// tree returns the tree of a value that is part of one with the marks around it. A part
// of it is at the position of its literal, if it has one.
func (b treeBuilder) tree(v cty.Value, pos config.Position, around valueMarks) *tree.Node {
	m := marksOf(v)
	m.hidden = m.hidden || around.hidden || b.converting && m.given
	m.placeholders = append(m.placeholders, around.placeholders...)
	v, _ = v.Unmark()
	n := &tree.Node{Pos: pos, Hidden: m.hidden}
	switch {
	case !v.IsKnown() && len(m.placeholders) > 0:
		if !b.reference || m.placeholders[0].whole != v.Type().GoString() {
			return b.broken(pos, dependsOnVariable)
		}
		n.Kind, n.Text, n.Broken = tree.String, m.placeholders[0].text, true
	case !v.IsKnown():
		return brokenValue(pos)
	case v.IsNull():
	case v.Type().IsPrimitiveType():
		return b.scalar(n, v, m)
	case v.Type().IsObjectType() || v.Type().IsMapType():
		n.Kind = tree.Object
		for it := v.ElementIterator(); it.Next(); {
			name, element := it.Element()
			value := b.tree(element, positionOf(element, pos), m)
			n.Fields = append(n.Fields, tree.Field{Name: name.AsString(), Pos: value.Pos, Hidden: m.hidden, Value: value})
		}
	case v.CanIterateElements():
		n.Kind = tree.List
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			n.Items = append(n.Items, b.tree(element, positionOf(element, pos), m))
		}
	default:
		return b.broken(pos, "got a value of a type that configurations do not have")
	}
	return n
}

const dependsOnVariable = "it depends on the value of a variable, which cannot be converted"

// broken reports a problem, and returns what stands for the value.
func (b treeBuilder) broken(pos config.Position, problem string) *tree.Node {
	b.report.Problem(pos, b.path, "%s", problem)
	return brokenValue(pos)
}

// positionOf returns the position of a value's literal, or another where it has none or
// several.
func positionOf(v cty.Value, otherwise config.Position) config.Position {
	if origins := marksOf(v).origins; len(origins) == 1 {
		return origins[0].pos
	}
	return otherwise
}

// scalar returns the tree of a text, a number or a boolean. In a conversion one that
// was made from a variable must hold the variable's placeholder as it is.
func (b treeBuilder) scalar(n *tree.Node, v cty.Value, m valueMarks) *tree.Node {
	switch v.Type() {
	case cty.String:
		n.Kind, n.Text = tree.String, v.AsString()
	case cty.Bool:
		n.Kind, n.Text = tree.Bool, strconv.FormatBool(v.True())
	default:
		n.Text = numberText(v.AsBigFloat(), m.origins)
		n.Kind = tree.Int
		if strings.ContainsAny(n.Text, ".eE") {
			n.Kind = tree.Float
		}
	}
	for _, p := range m.placeholders {
		if !strings.Contains(n.Text, p.text) {
			return b.broken(n.Pos, dependsOnVariable)
		}
		n.Broken = true
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
