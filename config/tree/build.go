package tree

import (
	"slices"
	"strconv"

	"semlb/config"
)

// NewString returns a string.
func NewString(text string) *Node { return &Node{Kind: String, Text: text} }

// NewList returns a list.
func NewList(items ...*Node) *Node { return &Node{Kind: List, Items: items} }

// NewObject returns an object of names, which are strings, and values, which are nodes,
// in turn.
func NewObject(pairs ...any) *Node {
	n := &Node{Kind: Object}
	for i := 0; i+1 < len(pairs); i += 2 {
		n.Fields = append(n.Fields, Field{Name: pairs[i].(string), Value: pairs[i+1].(*Node)})
	}
	return n
}

// FromValue returns what encoding/json decoded into any as a tree, or nil where it is
// nil or an object.
func FromValue(value any) *Node {
	switch value := value.(type) {
	case bool:
		return &Node{Kind: Bool, Text: strconv.FormatBool(value)}
	case float64:
		return &Node{Kind: Float, Text: strconv.FormatFloat(value, 'f', -1, 64)}
	case string:
		return NewString(value)
	case []any:
		n := NewList()
		for _, item := range value {
			n.Items = append(n.Items, FromValue(item))
		}
		return n
	default:
		return nil
	}
}

// WithPos returns a copy of the node at another position.
func (n *Node) WithPos(pos config.Position) *Node {
	c := *n
	c.Pos = pos
	return &c
}

// WithText returns a copy of a scalar with another text.
func (n *Node) WithText(text string) *Node {
	c := *n
	c.Text = text
	return &c
}

// With returns a copy of an object in which a field has another value.
func (n *Node) With(name string, value *Node) *Node {
	c, found := *n, false
	c.Fields = slices.Clone(n.Fields)
	for i := range c.Fields {
		if c.Fields[i].Name == name {
			c.Fields[i].Value, found = value, true
		}
	}
	if !found {
		c.Fields = append(c.Fields, Field{Name: name, Pos: value.Pos, Value: value})
	}
	return &c
}

// Without returns a copy of an object that lacks some fields.
func (n *Node) Without(names ...string) *Node {
	c := *n
	c.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f Field) bool { return slices.Contains(names, f.Name) })
	return &c
}

// OrObject returns the node, or an empty object at a position where it is nil.
func (n *Node) OrObject(pos config.Position) *Node {
	if n == nil {
		return &Node{Kind: Object, Pos: pos}
	}
	return n
}

// Concealed returns a copy of a tree that no message shows and that is all at one
// position: that of what refers to it.
func (n *Node) Concealed(pos config.Position) *Node {
	c := *n
	c.Pos, c.Hidden = pos, true
	c.Items = make([]*Node, len(n.Items))
	for i, item := range n.Items {
		c.Items[i] = item.Concealed(pos)
	}
	c.Fields = make([]Field, len(n.Fields))
	for i, f := range n.Fields {
		c.Fields[i] = Field{Name: f.Name, Pos: pos, Hidden: true, Value: f.Value.Concealed(pos)}
	}
	return &c
}

// AsArgument returns a copy of a tree whose values are arguments of a command.
func (n *Node) AsArgument() *Node {
	c := *n
	c.Argument = true
	c.Items = make([]*Node, len(n.Items))
	for i, item := range n.Items {
		c.Items[i] = item.AsArgument()
	}
	c.Fields = slices.Clone(n.Fields)
	for i, f := range n.Fields {
		c.Fields[i].Value = f.Value.AsArgument()
	}
	return &c
}

// Merged returns a copy of an object with those fields of another that it lacks.
func (n *Node) Merged(other *Node) *Node {
	c := *n
	c.Fields = addMissing(slices.Clone(n.Fields), other.Fields)
	return &c
}
