package schema

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"semlb/config/tree"
)

// builder makes fields of rows, as they were in a version of Kong.
type builder struct{ kong version }

// addAll puts rows below f, outer ones first.
func (b builder) addAll(f *Field, rows map[string]row) error {
	for _, path := range slices.Sorted(maps.Keys(rows)) {
		if err := b.add(f, path, rows[path]); err != nil {
			return fmt.Errorf("field %s: %w", path, err)
		}
	}
	return nil
}

// addGuards puts the fields of the plugins that guard below f, by the plugins' names.
func (b builder) addGuards(f *Field, all facts) error {
	if err := b.addAll(f, all.guards); err != nil {
		return err
	}
	for name, guard := range f.Fields {
		if err := b.addAll(guard, all.envelope); err != nil {
			return err
		}
		guard.Fields["name"].Values = []Value{{Text: name}}
	}
	return nil
}

// add puts the row of a path, such as "config.targets[].weight", below f.
func (b builder) add(f *Field, path string, r row) error {
	head, rest, deeper := strings.Cut(path, ".")
	name, isList := strings.CutSuffix(head, "[]")
	child := childOf(f, name)
	if !deeper && !isList {
		child.Hidden = child.Hidden || f.Hidden
		return b.fill(child, r)
	}
	if isList {
		child.Kind = tree.List
		if child.Elements == nil {
			child.Elements = &Field{Name: name, Kind: tree.Object, Hidden: child.Hidden}
		}
		child = child.Elements
	} else {
		child.Kind = tree.Object
	}
	return b.add(child, rest, r)
}

// childOf returns the field of an object, which it adds if it is new. What lies below
// "auth" is about credentials.
func childOf(f *Field, name string) *Field {
	if c, ok := f.Fields[name]; ok {
		return c
	}
	if f.Fields == nil {
		f.Fields = map[string]*Field{}
	}
	c := &Field{Name: name, Hidden: f.Hidden || name == "auth" || name == "cloud_authentication"}
	f.Fields[name] = c
	return c
}

// fill copies a row.
func (b builder) fill(f *Field, r row) error {
	var err error
	if f.Kind, err = parseKind(r.Type); err != nil {
		return err
	}
	f.Required, f.Default, f.Reference, f.FreeForm = r.Required, r.Default, r.Reference, r.FreeForm
	f.Min, f.Max, f.MinLength = r.Min, r.Max, r.MinLength
	f.Vault, f.Secret = r.VaultRef, r.Encrypted
	f.Note, f.Extension, f.Since = r.Note, r.Extension, r.Since
	f.Hidden = f.Hidden || f.Secret
	for _, text := range r.Allowed {
		f.Values = append(f.Values, Value{Text: text})
	}
	if f.NewSince, err = newerThan(r.Since, b.kong); err != nil {
		return err
	}
	if err := b.undo(f, r.Changed); err != nil {
		return err
	}
	return fillElements(f, r)
}

// fillElements describes the elements of a list, and those of a map whose elements are
// lists of text. The values of a list's row are its elements'.
func fillElements(f *Field, r row) error {
	if r.FreeForm && r.Items == "array" {
		f.Elements = &Field{Kind: tree.List, Elements: &Field{Kind: tree.String}}
	}
	if f.Kind != tree.List {
		return nil
	}
	kind, err := parseKind(r.Items)
	if err != nil {
		return fmt.Errorf("elements: %w", err)
	}
	if f.Elements == nil {
		f.Elements = &Field{Name: f.Name, Kind: kind, Hidden: f.Hidden}
	}
	f.Elements.Values, f.Values = f.Values, nil
	return nil
}

// undo reverts what newer versions changed, the newest first.
func (b builder) undo(f *Field, changed map[string]change) error {
	versions := slices.Sorted(maps.Keys(changed))
	slices.Reverse(versions)
	for _, text := range versions {
		newer, err := newerThan(text, b.kong)
		if err != nil {
			return err
		}
		if newer == "" {
			continue
		}
		c := changed[text]
		if len(c.Default) == 2 {
			f.Default = c.Default[0]
		}
		if len(c.Required) == 2 {
			f.Required = c.Required[0]
		}
		if c.Allowed == becameFreeText {
			f.FreeSince = newer
		}
		for _, added := range c.AllowedAdded {
			if v := f.value(added); v != nil {
				v.NewSince = newer
			}
		}
	}
	return nil
}

func narrow(f *Field, n narrowing) {
	if n.Min != nil {
		f.Min = n.Min
	}
	if n.Max != nil {
		f.Max = n.Max
	}
	f.MinLength = max(f.MinLength, n.MinLength)
	f.Secret = f.Secret || n.Encrypted
	f.Hidden = f.Hidden || n.Encrypted
	f.OrString = f.OrString || n.OrString
}

// markPresent marks the objects that the model does not point to: those always have a
// value.
func markPresent(f *Field, model reflect.Type) {
	switch model.Kind() {
	case reflect.Pointer:
		markPresent(f, model.Elem())
		f.Present = false
	case reflect.Slice:
		if f.Elements != nil {
			markPresent(f.Elements, model.Elem())
		}
	case reflect.Struct:
		f.Present = f.Kind == tree.Object
		for i := range model.NumField() {
			member := model.Field(i)
			if child := f.Fields[member.Tag.Get(modelTag)]; child != nil {
				markPresent(child, member.Type)
			}
		}
	}
}

var kinds = map[string]tree.Kind{
	"boolean": tree.Bool, "integer": tree.Int, "number": tree.Float, "string": tree.String,
	"array": tree.List, "object": tree.Object,
}

func parseKind(text string) (tree.Kind, error) {
	kind, known := kinds[text]
	if !known {
		return 0, fmt.Errorf("unknown type %q", text)
	}
	return kind, nil
}
