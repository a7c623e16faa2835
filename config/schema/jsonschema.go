package schema

import (
	"maps"
	"slices"
	"strings"

	"semlb/config/tree"
)

// JSON is a JSON Schema (2020-12), or a part of one.
type JSON = map[string]any

// JSONWriter turns fields into JSON Schema. What is not supported yet is no allowed
// value, and descriptions say so.
type JSONWriter struct {
	// Template, if it is not empty, is a pattern of strings that may stand for any
	// value.
	Template string
}

// Field returns the JSON Schema of a field.
func (w JSONWriter) Field(f *Field) JSON {
	o := JSON{}
	switch {
	case f.Reference:
		o["anyOf"] = []any{
			JSON{"type": "string", "minLength": 1},
			JSON{"type": "object", "minProperties": 1, "maxProperties": 1},
		}
	case f.Kind == tree.Object:
		o["type"] = "object"
		if !f.FreeForm && f.Fields != nil {
			w.fields(f, o)
		}
	case f.Kind == tree.List:
		o["type"] = "array"
		if f.MinLength > 0 {
			o["minItems"] = f.MinLength
		}
		if f.Elements != nil {
			o["items"] = w.Field(f.Elements)
		}
	default:
		o = w.scalar(f)
	}
	describe(f, o)
	return o
}

func (w JSONWriter) fields(f *Field, o JSON) {
	properties, required := JSON{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		child := f.Fields[name]
		if child.NewSince != "" {
			continue
		}
		if child.MustBeGiven() {
			properties[name] = w.Field(child)
			required = append(required, name)
		} else {
			properties[name] = OrNull(w.Field(child))
		}
	}
	o["properties"], o["additionalProperties"] = properties, false
	if len(required) > 0 {
		o["required"] = required
	}
}

// OrNull returns a schema that accepts null too: a field that is null is not set, and
// answers of the Admin API have null for every field that is not.
func OrNull(o JSON) JSON {
	o = maps.Clone(o)
	if either, ok := o["anyOf"].([]any); ok {
		o["anyOf"] = append(slices.Clone(either), JSON{"type": "null"})
	}
	if kind, ok := o["type"].(string); ok {
		o["type"] = []string{kind, "null"}
	}
	if values, ok := o["enum"].([]string); ok {
		all := make([]any, 0, len(values)+1)
		for _, v := range values {
			all = append(all, v)
		}
		o["enum"] = append(all, nil)
	}
	return o
}

// PluginDefs returns the definitions "plugin", of any plugin, and those of the ones that are
// served, as a function writes their entries. The others are not looked into.
func (t *Tables) PluginDefs(write func(*Field) JSON) JSON {
	defs := JSON{}
	var served []JSON
	for _, name := range append(slices.Sorted(maps.Keys(t.Guards)), PluginName) {
		defs[name] = write(t.Named(name))
		served = append(served, JSON{
			"if":   JSON{"properties": JSON{"name": JSON{"const": name}}},
			"then": JSON{"$ref": "#/$defs/" + name},
		})
	}
	defs["plugin"] = JSON{"type": "object", "required": []string{"name"}, "allOf": served}
	return defs
}

// describe adds what a field is for, its default, and whether it is supported.
func describe(f *Field, o JSON) {
	var text []string
	if f.Note != "" {
		text = append(text, f.Note)
	}
	if f.Extension {
		text = append(text, "An extension of semlb.")
	}
	if f.Unsupported != "" {
		text = append(text, "Not supported yet: "+f.Unsupported+".")
		o["deprecated"] = true
	}
	if len(text) > 0 {
		o["description"] = strings.Join(text, " ")
	}
	if f.Default != nil {
		o["default"] = f.Default
	}
}

// scalar returns the schema of a value, or of what may stand for it.
func (w JSONWriter) scalar(f *Field) JSON {
	o := JSON{"type": f.Kind.String()}
	if f.Min != nil {
		o["minimum"] = *f.Min
	}
	if f.Max != nil {
		o["maximum"] = *f.Max
	}
	if f.Kind == tree.String {
		o["minLength"] = 1
	}
	if f.Values != nil {
		o["enum"] = enum(f)
	}
	if f.Kind == tree.String && f.Values == nil {
		return o
	}
	either := []any{o}
	if w.Template != "" {
		either = append(either, JSON{"type": "string", "pattern": w.Template})
	}
	if f.Vault || f.OrString {
		either = append(either, JSON{"type": "string", "pattern": `^(\{vault://.*\}|[0-9]+)$`})
	}
	if len(either) == 1 {
		return o
	}
	return JSON{"anyOf": either}
}

// enum returns the values of a field that are neither too new nor refused.
func enum(f *Field) []string {
	var texts []string
	for _, v := range f.Values {
		if v.Unsupported == "" && v.NewSince == "" {
			texts = append(texts, v.Text)
		}
	}
	return texts
}
