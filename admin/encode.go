package admin

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"semlb/config"
)

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
