package admin

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"semlb/config"
)

// shape says what a value is, in the words of Kong's schemas.
type shape struct {
	// typ is string, integer, number, boolean, array, record or map.
	typ string
	// secret strings are masked.
	secret bool
	// required fields must be given.
	required bool
	// fallback is the default, or nil.
	fallback any
	// item describes the elements of an array.
	item *shape
	// fields describe a record.
	fields map[string]*shape
}

// shapeOf returns the shape of a type of package config, whose tags name the
// fields. Every credential there is a [config.Secret], so that nothing else has to
// list them.
func shapeOf(t reflect.Type) *shape {
	switch t {
	case reflect.TypeFor[config.Secret]():
		return &shape{typ: "string", secret: true}
	case reflect.TypeFor[config.Number]():
		return &shape{typ: "number"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.Struct:
		s := &shape{typ: "record", fields: map[string]*shape{}}
		for i := range t.NumField() {
			if tag := t.Field(i).Tag.Get("kong"); tag != "" && tag != "-" {
				s.fields[tag] = shapeOf(t.Field(i).Type)
			}
		}
		return s
	case reflect.Slice:
		return &shape{typ: "array", item: shapeOf(t.Elem())}
	case reflect.Map:
		return &shape{typ: "map"}
	case reflect.String:
		return &shape{typ: "string"}
	case reflect.Bool:
		return &shape{typ: "boolean"}
	case reflect.Float64:
		return &shape{typ: "number"}
	default:
		return &shape{typ: "integer"}
	}
}

// encode returns a value of package config as a client would have sent it. What is
// not set is nil. Secrets are in clear text.
func encode(v reflect.Value) any {
	switch value := v.Interface().(type) {
	case config.Secret:
		if value.IsZero() {
			return nil
		}
		return value.Reveal()
	case config.Number:
		if !value.Present() {
			return nil
		}
		return json.Number(value)
	case time.Duration:
		return integer(value.Milliseconds())
	case map[string]any:
		if value == nil {
			return nil
		}
		return plain(value)
	case map[string][]string:
		return encodeLists(value)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return encode(v.Elem())
	case reflect.Struct:
		o := object{}
		for i := range v.NumField() {
			if tag := v.Type().Field(i).Tag.Get("kong"); tag != "" && tag != "-" {
				o[tag] = encode(v.Field(i))
			}
		}
		return o
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = encode(v.Index(i))
		}
		return list
	case reflect.String:
		if v.Len() == 0 {
			return nil
		}
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Float64:
		return decimal(v.Float())
	default:
		return integer(v.Int())
	}
}

// learnDefaults notes the defaults of an instance's settings, which package config
// fills in.
func (s *shape) learnDefaults() {
	c, _, err := config.Load([]config.Source{{Name: "bare.json", Data: []byte(barePlugin)}}, config.Options{})
	given, parseErr := parseJSON([]byte(barePlugin))
	if err != nil || parseErr != nil || len(c.Plugins) != 1 {
		return // a test holds that there are defaults
	}
	entry, _ := given.(object)
	s.defaults(encode(reflect.ValueOf(c.Plugins[0].Settings)), entry["config"])
}

// defaults notes what a value has and what was given does not.
func (s *shape) defaults(v, given any) {
	switch v := v.(type) {
	case object:
		g, _ := given.(object)
		for name, child := range v {
			if field := s.fields[name]; field != nil {
				field.defaults(child, g[name])
			}
		}
	case []any:
		if g, ok := given.([]any); ok && len(g) == len(v) {
			for i := range v {
				s.item.defaults(v[i], g[i])
			}
			return
		}
		s.fallback = v
	default:
		if given == nil && !s.secret {
			s.fallback = v
		}
	}
}

func encodeLists(m map[string][]string) any {
	if m == nil {
		return nil
	}
	o := object{}
	for name, values := range m {
		o[name] = encode(reflect.ValueOf(values))
	}
	return o
}

// plain returns a value of encoding/json with its numbers as text.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := object{}
		for name, child := range v {
			o[name] = plain(child)
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = plain(child)
		}
		return list
	case float64:
		return decimal(v)
	default:
		return v
	}
}

func integer(i int64) json.Number { return json.Number(strconv.FormatInt(i, 10)) }

func decimal(f float64) json.Number {
	return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
}
