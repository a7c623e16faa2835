// Package form makes trees of the fields of forms, as Kong's Admin API does:
// config.targets[1].weight=2.
package form

import (
	"errors"
	"fmt"

	"semlb/config"
	"semlb/config/schema"
	"semlb/config/tree"
)

// Bounds of a form: the index of an element that it names, and its fields. Indexes make
// elements that no field names, so the number of values is bounded by itself
// ([tree.MaxValues]).
const (
	maxIndex  = 1000
	maxFields = 10_000
)

// ErrTooMany is the error for a form with too many fields, or whose fields make too many
// values.
var ErrTooMany = errors.New("too many values")

var (
	errName   = errors.New("malformed name of a form field")
	errIndex  = fmt.Errorf("malformed index, want 1 to %d", maxIndex)
	errList   = errors.New("got both a list and something else")
	errFields = errors.New("got both a value and fields below it")
)

// Form is the object that the fields of a form make.
type Form struct {
	root   *part
	fields int
	values int
}

// part is a value of a form. A null is one that no field has set yet.
type part struct {
	kind   tree.Kind
	pos    config.Position
	text   *tree.Node       // of a string
	names  []string         // of an object, in their order
	fields map[string]*part // of an object
	items  []*part          // of a list
}

// New returns a form without fields.
func New(pos config.Position) *Form {
	return &Form{root: &part{kind: tree.Object, pos: pos, fields: map[string]*part{}}}
}

// Add adds a field with a string. A name that comes again makes a list. The errors quote
// neither the name nor the value; after one the form must not be used.
func (f *Form) Add(name string, value *tree.Node) error {
	if f.fields++; f.fields > maxFields {
		return ErrTooMany
	}
	path, err := parseName(name)
	if err != nil {
		return err
	}
	at := f.root
	for _, s := range path {
		if at, err = f.below(at, s, value.Pos); err != nil {
			return err
		}
	}
	return f.put(at, value)
}

// below returns the part that a step leads to, which it makes if there is none.
func (f *Form) below(at *part, s step, pos config.Position) (*part, error) {
	if at.kind == tree.Null {
		at.kind, at.pos = s.within(), pos
	}
	switch {
	case at.kind != s.within() && s.name == "":
		return nil, errList
	case at.kind != s.within():
		return nil, errFields
	case s.name == "":
		return f.element(at, s.index)
	case at.fields[s.name] == nil:
		if at.fields == nil {
			at.fields = map[string]*part{}
		}
		at.names = append(at.names, s.name)
		at.fields[s.name] = &part{pos: at.pos}
		return at.fields[s.name], f.count(1)
	default:
		return at.fields[s.name], nil
	}
}

// element returns the element of a list that has an index, counted from 1. Index 0 is one
// more.
func (f *Form) element(list *part, index int) (*part, error) {
	if index == 0 {
		index = len(list.items) + 1
	}
	if err := f.count(max(0, index-len(list.items))); err != nil {
		return nil, err
	}
	for len(list.items) < index {
		list.items = append(list.items, &part{pos: list.pos})
	}
	return list.items[index-1], nil
}

// put sets a part to a string, or appends that to what is there.
func (f *Form) put(at *part, value *tree.Node) error {
	fresh := &part{kind: tree.String, pos: value.Pos, text: value}
	switch at.kind {
	case tree.Null:
		*at = *fresh
		return nil
	case tree.String:
		first := *at
		*at = part{kind: tree.List, pos: first.pos, items: []*part{&first, fresh}}
	case tree.List:
		at.items = append(at.items, fresh)
	default:
		return errFields
	}
	return f.count(1)
}

// count counts values that are made.
func (f *Form) count(more int) error {
	if f.values += more; f.values > tree.MaxValues {
		return ErrTooMany
	}
	return nil
}

// Text returns the text of a field, or "" where the form has none of the name.
func (f *Form) Text(name string) string {
	if p := f.root.fields[name]; p != nil {
		return p.text.Str()
	}
	return ""
}

// Tree returns the object that the fields make. Its values have the kinds of the schema's
// field, as far as their texts are such values.
func (f *Form) Tree(of *schema.Field) *tree.Node { return of.Converted(typed(of, f.root.node())) }

func (p *part) node() *tree.Node {
	n := &tree.Node{Kind: p.kind, Pos: p.pos}
	switch p.kind {
	case tree.String:
		return p.text
	case tree.Object:
		for _, name := range p.names {
			n.Fields = append(n.Fields, tree.Field{Name: name, Pos: p.pos, Value: p.fields[name].node()})
		}
	case tree.List:
		for _, item := range p.items {
			n.Items = append(n.Items, item.node())
		}
	}
	return n
}
