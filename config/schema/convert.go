package schema

import (
	"strings"

	"semlb/config/tree"
)

// Converted returns a value with scalars in the kinds that the field has, for formats
// that write numbers and booleans as strings or the other way round.
func (f *Field) Converted(n *tree.Node) *tree.Node {
	return f.Map("", n, func(_ string, f *Field, n *tree.Node) (*tree.Node, bool) {
		if f == nil || n.Broken || f.FreeForm {
			return n, false
		}
		return f.convertedScalar(n), true
	})
}

func (f *Field) convertedScalar(n *tree.Node) *tree.Node {
	c := *n
	switch {
	case f.Kind == tree.Bool && n.Kind == tree.String && (n.Text == "true" || n.Text == "false"):
		c.Kind = tree.Bool
	case (f.Kind == tree.Int || f.Kind == tree.Float) && n.Kind == tree.String && tree.IsNumber(n.Text):
		c.Kind = tree.Int
		if strings.ContainsAny(n.Text, ".eE") {
			c.Kind = tree.Float
		}
	case f.Kind == tree.String && (n.Kind == tree.Int || n.Kind == tree.Float || n.Kind == tree.Bool):
		c.Kind = tree.String
	default:
		return n
	}
	return &c
}

// Normal returns a checked value with every boolean written as true or false.
func (f *Field) Normal(n *tree.Node) *tree.Node {
	return f.Map("", n, func(_ string, f *Field, n *tree.Node) (*tree.Node, bool) {
		if f == nil || n.Broken {
			return n, false
		}
		if b, ok := n.Bool(); ok && f.Kind == tree.Bool {
			c := *n
			c.Kind, c.Text = tree.Bool, map[bool]string{true: "true", false: "false"}[b]
			return &c, false
		}
		return n, true
	})
}
