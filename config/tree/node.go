// Package tree holds the values of files with their positions, and reads them from YAML
// and JSON.
package tree

import (
	"slices"

	"semlb/config"
	"semlb/config/report"
)

// Kind is the kind of a value.
type Kind int

// The kinds of values. Int and Float are both numbers; a Float has a fraction or an
// exponent.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Object
)

var kindNames = [...]string{"null", "boolean", "integer", "number", "string", "list", "object"}

// String returns the kind's name in messages.
func (k Kind) String() string { return kindNames[k] }

// Article returns the kind's name with its article: "an integer".
func (k Kind) Article() string {
	switch k {
	case Null:
		return k.String()
	case Int, Object:
		return "an " + k.String()
	default:
		return "a " + k.String()
	}
}

// Node is a value of a file, whatever the file's format. Nodes may be shared, so that
// they are not changed once they are built; methods return changed copies.
type Node struct {
	Kind Kind
	Pos  config.Position
	// Text is the value of a scalar; of numbers and booleans as the file has it.
	Text string
	// Plain is set for a YAML scalar without quotes.
	Plain bool
	// Items are the elements of a list, Fields those of an object.
	Items  []*Node
	Fields []Field
	// Hidden values hold some of the environment: messages do not show them.
	Hidden bool
	// Argument values stand in a command of a script: messages do not show them either.
	Argument bool
	// Broken values lack something that was reported already. They are not checked.
	Broken bool
	// height and size are those of the node with its aliases expanded.
	height, size int
}

// Field is a named value of an object. A name may occur twice.
type Field struct {
	Name  string
	Pos   config.Position
	Value *Node
	// Hidden is set where the name holds some of the environment.
	Hidden bool
}

// Shown returns the field's name for a path. One that does not look like a name is
// quoted.
func (f Field) Shown() string {
	switch {
	case f.Hidden, report.MayBePassword(f.Name):
		return report.Redacted
	case report.IsName(f.Name):
		return f.Name
	default:
		return report.Quote(f.Name)
	}
}

// Suggest completes "unknown field", as [report.Suggest] does. It compares no name that
// holds some of the environment.
func Suggest[T any](f Field, known map[string]T) string {
	if f.Hidden {
		return ""
	}
	return report.Suggest(f.Name, known)
}

// Get returns the value of a field. It is nil where the node is no object, has no such
// field, or has null there.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if f.Name == name && f.Value.Kind != Null {
			return f.Value
		}
	}
	return nil
}

// At follows names from object to object.
func (n *Node) At(names ...string) *Node {
	for _, name := range names {
		n = n.Get(name)
	}
	return n
}

// Has reports whether an object has a field. One that is null is missing, unless it is
// broken.
func (n *Node) Has(name string) bool {
	return slices.ContainsFunc(n.Fields, func(f Field) bool {
		return f.Name == name && (f.Value.Kind != Null || f.Value.Broken)
	})
}

// Elements returns the elements of a list, and none of anything else.
func (n *Node) Elements() []*Node {
	if n == nil {
		return nil
	}
	return n.Items
}

// Str returns the value of a string, and "" of anything else.
func (n *Node) Str() string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// Quoted returns a string in quotes for a message, unless it holds some of the
// environment, or looks like a password.
func (n *Node) Quoted() string {
	if n != nil && (n.Hidden || report.MayBePassword(n.Text)) {
		return report.Redacted
	}
	return report.Quote(n.Str())
}

// Empty reports whether a value says nothing: null, an empty string or list, or an
// object of such values.
func (n *Node) Empty() bool {
	if n == nil {
		return true
	}
	switch n.Kind {
	case Null:
		return true
	case String:
		return n.Text == ""
	case List:
		return len(n.Items) == 0
	case Object:
		return !slices.ContainsFunc(n.Fields, func(f Field) bool { return !f.Value.Empty() })
	default:
		return false
	}
}

// Reference returns the name or the id of another entity: a string, or an object whose
// one field is "id", "name" or "username".
func (n *Node) Reference() (string, bool) {
	if n == nil {
		return "", false
	}
	if n.Kind == Object && len(n.Fields) == 1 {
		switch f := n.Fields[0]; f.Name {
		case "id", "name", "username":
			n = f.Value
		}
	}
	return n.Text, n.Kind == String
}

// Size returns the number of values in a parsed tree, aliases counted as often as they
// are used.
func (n *Node) Size() int { return n.size }
