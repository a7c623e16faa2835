package admin

import (
	"maps"
	"math"
	"slices"

	"semlb/config/schema"
)

// publishFields returns the fields of an object as Kong publishes schemas: a list of
// objects, each with the name of one field.
func publishFields(fields map[string]*schema.Field) []any {
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name].NewSince == "" {
			list = append(list, object{name: publish(fields[name])})
		}
	}
	return list
}

// publish describes a field in the terms of Kong's schemas.
func publish(f *schema.Field) object {
	o := object{"type": f.Type()}
	if f.Reference {
		return o
	}
	publishBounds(f, o)
	if f.Always() {
		o["required"] = true
	}
	if f.Default != nil {
		o["default"] = schema.Plain(f.Default)
	}
	if f.Secret {
		o["encrypted"] = true
	}
	if f.Vault {
		o["referenceable"] = true
	}
	switch f.Type() {
	case "map":
		// Both tell decK that there are no defaults to fill in.
		o["keys"], o["values"] = object{"type": "string"}, object{"type": "any"}
		if f.Elements != nil && f != unknownSettings {
			o["values"] = publish(f.Elements)
		}
	case "array":
		o["elements"] = publish(f.Elements)
	case "record":
		o["fields"] = publishFields(f.Fields)
	}
	return o
}

// publishBounds adds the validators of a field. Kong has no validator for a minimum
// alone but "gt", which excludes the bound.
func publishBounds(f *schema.Field, o object) {
	switch {
	case f.Min != nil && f.Max != nil:
		o["between"] = []any{*f.Min, *f.Max}
	case f.Min != nil && f.Type() == "integer":
		o["gt"] = *f.Min - 1
	case f.Min != nil:
		o["between"] = []any{*f.Min, math.MaxFloat64}
	}
	if f.MinLength > 0 {
		o["len_min"] = f.MinLength
	}
	if values := f.Supported(); values != nil {
		o["one_of"] = values
	}
}
