package schema

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"semlb/config/tree"
)

// addAll puts rows below f, outer ones first.
func (f *Field) addAll(rows map[string]row, kong version) error {
	for _, path := range slices.Sorted(maps.Keys(rows)) {
		if err := f.add(path, rows[path], kong); err != nil {
			return fmt.Errorf("field %s: %w", path, err)
		}
	}
	return nil
}

// add puts the row of a path, such as "config.targets[].weight", below f.
func (f *Field) add(path string, r row, kong version) error {
	head, rest, deeper := strings.Cut(path, ".")
	name, isList := strings.CutSuffix(head, "[]")
	child := f.child(name)
	if !deeper && !isList {
		child.Hidden = child.Hidden || f.Hidden
		return child.fill(r, kong)
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
	return child.add(rest, r, kong)
}

// child returns the field of an object, which it adds if it is new. What lies below
// "auth" is about credentials.
func (f *Field) child(name string) *Field {
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

// fill copies a row, as it was in a version of Kong.
func (f *Field) fill(r row, kong version) error {
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
	if f.NewSince, err = newerThan(r.Since, kong); err != nil {
		return err
	}
	if err := f.undo(r.Changed, kong); err != nil {
		return err
	}
	return f.fillElements(r)
}

// fillElements describes the elements of a list. The values of its row are theirs.
func (f *Field) fillElements(r row) error {
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

// undo reverts what versions newer than kong changed, the newest first.
func (f *Field) undo(changed map[string]change, kong version) error {
	versions := slices.Sorted(maps.Keys(changed))
	slices.Reverse(versions)
	for _, text := range versions {
		newer, err := newerThan(text, kong)
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

func (f *Field) narrow(n narrowing) {
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
func (f *Field) markPresent(model reflect.Type) {
	switch model.Kind() {
	case reflect.Pointer:
		f.markPresent(model.Elem())
		f.Present = false
	case reflect.Slice:
		if f.Elements != nil {
			f.Elements.markPresent(model.Elem())
		}
	case reflect.Struct:
		f.Present = f.Kind == tree.Object
		for i := range model.NumField() {
			member := model.Field(i)
			if child := f.Fields[member.Tag.Get(modelTag)]; child != nil {
				child.markPresent(member.Type)
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
