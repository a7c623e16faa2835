package config

import "reflect"

// Field says what a field of a file may hold, as files are checked.
type Field struct {
	// Type is in the words of Kong's schemas: boolean, integer, number, string, array,
	// record, map, or foreign for the name of another entity.
	Type string
	// Required fields are there wherever their record is: given, or by themselves as a
	// record whose fields have defaults.
	Required bool
	// Default is nil, or as encoding/json decodes it.
	Default any
	// OneOf are the values a string may have; nil is any. What is not supported yet is
	// not among them.
	OneOf []string
	// Min and Max bound a number; nil is no bound.
	Min, Max *float64
	// MinLength is the least number of elements.
	MinLength int
	// Secret fields are credentials. Referenceable ones may be a reference to a vault.
	Secret, Referenceable bool
	// Elements describes what is in an array.
	Elements *Field
	// Fields describe a record, by name. What is newer than the configuration's version
	// of Kong is not among them.
	Fields map[string]*Field
}

// Schema describes what plugins and the entities around them may hold, by their
// kind: plugin, service, route, consumer or consumer_group. It is made from the
// tables that [Load] checks files with.
func Schema(opts Options) (map[string]*Field, error) {
	l, err := newLoader(opts)
	if err != nil {
		return nil, err
	}
	d := describer{refused: map[string]bool{}}
	for _, u := range supportTable() {
		d.refused[u.path+"="+u.value] = true
	}
	all := map[string]*Field{"plugin": d.field("", l.table, nil)}
	all["plugin"].Fields["config"] = d.field("config", l.table.fields["config"], reflect.TypeFor[AIProxyAdvanced]())
	for kind, s := range l.entities.fields {
		all[kind] = d.field(kind, s, nil)
	}
	return all, nil
}

// describer turns tables into Fields.
type describer struct {
	// refused are the rows of the support table, by path and value.
	refused map[string]bool
}

// field describes a field that is decoded into a type, which is nil where the model
// has none.
func (d describer) field(path string, s *spec, t reflect.Type) *Field {
	f := &Field{
		Type: s.typeName(), Required: s.required && s.newSince == "", Default: s.fallback,
		Min: s.min, Max: s.max, MinLength: s.minLength, Secret: s.secret, Referenceable: s.vault,
	}
	for _, v := range s.allowed {
		supported := !d.refused[path+"="+v] && (!d.refused[path+"="] || s.fallback == v)
		if supported && s.allowedSince[v] == "" {
			f.OneOf = append(f.OneOf, v)
		}
	}
	switch f.Type {
	case "array":
		f.Elements = d.field(path+"[]", s.item, elementOf(t))
	case "record":
		// What the model does not point to is always there.
		f.Required = f.Required || t != nil && t.Kind() == reflect.Struct
		f.Fields = make(map[string]*Field, len(s.fields))
		for name, child := range s.fields {
			if child.newSince == "" {
				f.Fields[name] = d.field(join(path, name), child, fieldType(t, name))
			}
		}
	}
	return f
}

// typeName is the kind in the words of Kong's schemas.
func (s *spec) typeName() string {
	switch {
	case s.reference:
		return "foreign"
	case s.kind == kindObject && (s.freeForm || s.fields == nil):
		return "map"
	case s.kind == kindObject:
		return "record"
	case s.kind == kindList:
		return "array"
	default:
		return s.kind.String()
	}
}

// elementOf is the type of what is in a list.
func elementOf(t reflect.Type) reflect.Type {
	if t == nil || t.Kind() != reflect.Slice {
		return nil
	}
	return t.Elem()
}

// fieldType is the type of the field of a struct that has a tag.
func fieldType(t reflect.Type, tag string) reflect.Type {
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("kong") == tag {
			return f.Type
		}
	}
	return nil
}
