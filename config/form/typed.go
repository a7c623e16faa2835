package form

import (
	"slices"

	"semlb/config/schema"
	"semlb/config/tree"
)

// text is the field of the names that a reference has.
var text = &schema.Field{Kind: tree.String}

// typed returns the values of a form with what only a form writes otherwise: an empty
// text is no value, a single value is a list of one, a list of one empty text is empty.
func typed(f *schema.Field, n *tree.Node) *tree.Node {
	switch {
	case f == nil:
		return n
	case n.Kind == tree.String && n.Text == "" && !n.Broken:
		return &tree.Node{Pos: n.Pos}
	case n.Kind == tree.String && f.Kind == tree.List && f.Elements != nil:
		return &tree.Node{Kind: tree.List, Pos: n.Pos, Items: []*tree.Node{typed(f.Elements, n)}}
	case n.Kind == tree.List:
		return typedList(f, n)
	case n.Kind == tree.Object:
		c := *n
		c.Fields = slices.Clone(n.Fields)
		for i, child := range c.Fields {
			c.Fields[i].Value = typed(fieldOf(f, child.Name), child.Value)
		}
		return &c
	default:
		return n
	}
}

func typedList(f *schema.Field, n *tree.Node) *tree.Node {
	c := *n
	c.Items = nil
	for _, item := range n.Items {
		if len(n.Items) > 1 || item.Kind != tree.String || item.Text != "" || item.Broken {
			c.Items = append(c.Items, typed(f.Elements, item))
		}
	}
	return &c
}

// fieldOf returns the field that an object has by a name; nil for one that it has not.
func fieldOf(f *schema.Field, name string) *schema.Field {
	switch f.Type() {
	case "foreign":
		return text
	case "map":
		return f.Elements
	default:
		return f.Fields[name]
	}
}
