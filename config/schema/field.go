package schema

import (
	"slices"
	"strings"

	"semlb/config/report"
	"semlb/config/tree"
)

// Field says what one field may hold, in one version of Kong. Fields are shared: copy one
// before you change it.
type Field struct {
	// Name is the field's name; the elements of a list have that of the list.
	Name string
	Kind tree.Kind
	// Reference fields name another entity: by its name, its id, or an object with one
	// of them.
	Reference bool
	// FreeForm objects hold anything.
	FreeForm bool
	// Open objects may have fields of a version that is newer than the known ones.
	Open bool
	// Required fields have to be there wherever their object is.
	Required bool
	// Present objects are part of the model even where a file leaves them out.
	Present bool
	// Default is the default as encoding/json decodes it, or nil.
	Default any
	// Values lists what a string may be; nil is any text.
	Values []Value
	// Min and Max bound a number; nil is no bound.
	Min, Max *float64
	// MinLength is the least number of elements of a list.
	MinLength int
	// OrString numbers may be written as strings.
	OrString bool
	// Secret fields are credentials. Vault fields may be a reference to a vault.
	Secret, Vault bool
	// Hidden fields may hold credentials, so that no message shows their values.
	Hidden bool
	// Since is the version that brought the field, with what the facts say of it.
	Since string
	// NewSince is that version where the table's version is older, else empty: the field
	// must not be used.
	NewSince string
	// FreeSince is the version that replaced a closed list of values by any text, where the table's version is older. The facts lack that list.
	FreeSince string
	// Unsupported says why anything but the default is refused; empty where it is not.
	Unsupported string
	// Extension fields are this project's own.
	Extension bool
	// Note says what the field is for, where the facts do.
	Note string
	// Elements describes what is in a list or a free-form object, Fields what is in another
	// object, by name.
	Elements *Field
	Fields   map[string]*Field
}

// Value is a value that a string may have.
type Value struct {
	Text string
	// NewSince is the version that brought the value, where the table's version is
	// older, else empty.
	NewSince string
	// Unsupported says why the value is refused; empty where it is not.
	Unsupported string
}

// Type returns the field's type in the words of Kong's schemas: boolean, integer,
// number, string, array, record, map, or foreign for a reference.
func (f *Field) Type() string {
	switch {
	case f.Reference:
		return "foreign"
	case f.Kind == tree.Object && (f.FreeForm || f.Fields == nil):
		return "map"
	case f.Kind == tree.Object:
		return "record"
	case f.Kind == tree.List:
		return "array"
	default:
		return f.Kind.String()
	}
}

// Supported returns the texts of the values that are accepted; nil is any text.
func (f *Field) Supported() []string {
	var texts []string
	for _, v := range f.Values {
		refused := v.Unsupported != "" || f.Unsupported != "" && f.Default != v.Text
		if !refused && v.NewSince == "" {
			texts = append(texts, v.Text)
		}
	}
	return texts
}

// Always reports whether the field has a value wherever its object has: a required one
// is given, and an object that is present has its fields' defaults.
func (f *Field) Always() bool { return f.Required && f.NewSince == "" || f.Present }

// MustBeGiven reports whether a file has to have the field. An object that may be empty
// needs no mention.
func (f *Field) MustBeGiven() bool {
	if !f.Required || f.NewSince != "" || f.Default != nil {
		return false
	}
	if f.Kind != tree.Object || f.Name == "config" {
		return true
	}
	for _, child := range f.Fields {
		if child.MustBeGiven() {
			return true
		}
	}
	return false
}

// Find returns the field at a path below f, such as "config.targets[].weight", or nil.
func (f *Field) Find(path string) *Field {
	for path != "" && f != nil {
		var head string
		head, path, _ = strings.Cut(path, ".")
		name, isList := strings.CutSuffix(head, "[]")
		if f = f.Fields[name]; f != nil && isList {
			f = f.Elements
		}
	}
	return f
}

// FindPointer returns the field at a JSON pointer's steps below f, or nil.
func (f *Field) FindPointer(steps []string) *Field {
	for _, step := range steps {
		switch {
		case f == nil:
			return nil
		case f.Kind == tree.List:
			f = f.Elements
		default:
			f = f.Fields[step]
		}
	}
	return f
}

// value returns the field's value of a text, or nil.
func (f *Field) value(text string) *Value {
	i := slices.IndexFunc(f.Values, func(v Value) bool { return v.Text == text })
	if i < 0 {
		return nil
	}
	return &f.Values[i]
}

// shownName returns the name of a field of f for a path. An unknown one may be a
// misplaced credential.
func (f *Field) shownName(child tree.Field) string {
	if _, known := f.Fields[child.Name]; known {
		return child.Name
	}
	if f.Hidden && !report.IsName(child.Name) {
		return report.Redacted
	}
	return child.Shown()
}

// Map returns a copy of a value in which a function has replaced parts. It is called for
// the value and then for what is in its result, unless it returns false. Its field is nil
// for what the schema does not have.
func (f *Field) Map(path string, n *tree.Node, replace func(path string, f *Field, n *tree.Node) (*tree.Node, bool)) *tree.Node {
	n, deeper := replace(path, f, n)
	if !deeper || len(n.Items)+len(n.Fields) == 0 {
		return n
	}
	if f == nil {
		f = &Field{}
	}
	c := *n
	c.Items = make([]*tree.Node, len(n.Items))
	for i, item := range n.Items {
		c.Items[i] = f.Elements.Map(report.Index(path, i), item, replace)
	}
	c.Fields = make([]tree.Field, len(n.Fields))
	for i, child := range n.Fields {
		child.Value = f.Fields[child.Name].Map(report.Join(path, f.shownName(child)), child.Value, replace)
		c.Fields[i] = child
	}
	return &c
}
