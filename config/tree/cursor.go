package tree

import (
	"semlb/config"
	"semlb/config/placeholder"
	"semlb/config/report"
)

// Cursor points at a value that may be missing, by its path and its position.
type Cursor struct {
	Path string
	// Node is nil where there is no value.
	Node *Node
	// Pos is the position of the value, or of the nearest value around a missing one.
	Pos config.Position
}

// NewCursor returns a cursor at a value.
func NewCursor(path string, n *Node) Cursor { return Cursor{Path: path, Node: n, Pos: n.Pos} }

// At follows names from object to object.
func (c Cursor) At(names ...string) Cursor {
	for _, name := range names {
		c.Path = report.Join(c.Path, name)
		c.Node = c.Node.Get(name)
		if c.Node != nil {
			c.Pos = c.Node.Pos
		}
	}
	return c
}

// Items returns a cursor for each element of a list.
func (c Cursor) Items() []Cursor {
	items := make([]Cursor, len(c.Node.Elements()))
	for i, item := range c.Node.Elements() {
		items[i] = NewCursor(report.Index(c.Path, i), item)
	}
	return items
}

// Exists reports whether there is a value.
func (c Cursor) Exists() bool { return c.Node != nil }

// Is reports whether the value is a string.
func (c Cursor) Is(text string) bool { return c.Node.Str() == text }

// IsTrue reports whether the value is true.
func (c Cursor) IsTrue() bool {
	if c.Node == nil {
		return false
	}
	value, _ := c.Node.Bool()
	return value
}

// Known reports whether the value is a string that is at hand. That of a variable
// without a value is not and, in a conversion, that of any variable.
func (c Cursor) Known() bool {
	return c.Node.Str() != "" && !c.Node.Broken && !placeholder.In(c.Node.Text)
}
