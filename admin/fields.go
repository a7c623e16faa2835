package admin

import (
	"semlb/config/schema"
	"semlb/config/tree"
	"semlb/wire"
)

// Fields that are not in the schema.
var (
	plainText   = &schema.Field{Kind: tree.String}
	secretTexts = listOf(&schema.Field{Kind: tree.String, Secret: true})
	foreign     = &schema.Field{Reference: true}
)

// listOf describes a list.
func listOf(elements *schema.Field) *schema.Field {
	return &schema.Field{Kind: tree.List, Elements: elements}
}

// objectOf describes an object with one field.
func objectOf(name string, f *schema.Field) *schema.Field {
	return &schema.Field{Kind: tree.Object, Fields: map[string]*schema.Field{name: f}}
}

// fieldOf returns the field that an object of f has by a name, or nil.
func fieldOf(f *schema.Field, name string) *schema.Field {
	switch f.Type() {
	case "foreign":
		if name == "id" || name == "name" || name == "username" {
			return plainText
		}
		return nil
	case "map":
		if wire.IsCredentialHeader(name) {
			return secretTexts
		}
		return f.Elements
	default:
		return f.Fields[name]
	}
}

// fieldPath is a path below a value, of the names of fields and the indices of elements.
type fieldPath []any

// below returns a path that is one step longer.
func (p fieldPath) below(step any) fieldPath { return append(p[:len(p):len(p)], step) }

// rewrite returns a value in which a function has replaced each scalar that f describes.
func rewrite(f *schema.Field, v any, path fieldPath, replace func(*schema.Field, any, fieldPath) any) any {
	switch v := v.(type) {
	case object:
		out := make(object, len(v))
		for name, child := range v {
			out[name] = child
			if field := fieldOf(f, name); field != nil {
				out[name] = rewrite(field, child, path.below(name), replace)
			}
		}
		return out
	case []any:
		if f.Elements == nil {
			return v
		}
		out := make([]any, len(v))
		for i, child := range v {
			out[i] = rewrite(f.Elements, child, path.below(i), replace)
		}
		return out
	case nil:
		return nil
	default:
		return replace(f, v, path)
	}
}
