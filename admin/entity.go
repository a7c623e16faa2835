package admin

import "semlb/config/schema"

// object is a JSON object. The values in it are nil, bool, string, json.Number, []any
// and object.
type object = map[string]any

// text returns a field that is a string, and "" for any other field.
func text(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

// firstText returns the first of some fields that is a string and not empty.
func firstText(o object, names ...string) string {
	for _, name := range names {
		if t := text(o, name); t != "" {
			return t
		}
	}
	return ""
}

// entity is a stored entity. It is never changed: a write stores another one in its
// place.
type entity struct {
	kind *kind
	// fields are what a client or a file gave, and what the API adds: "id" and the times.
	// Fields that are null are left out.
	fields object
}

// described returns what describes the entity's fields.
func (e *entity) described() *schema.Field { return e.kind.fieldsOf(e.text("name")) }

func (e *entity) id() string { return text(e.fields, "id") }

func (e *entity) text(field string) string { return text(e.fields, field) }

// foreignKey is the value of a field that refers to the entity.
func (e *entity) foreignKey() object { return object{"id": e.id()} }

// referencedID returns the id of the entity that a field refers to. It is empty where
// the field is not set, or names an entity that no file has.
func referencedID(o object, field string) string {
	key, _ := o[field].(object)
	return text(key, "id")
}
