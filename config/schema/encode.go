package schema

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"semlb/config"
	"semlb/wire"
)

// Encode returns a part of the model as encoding/json decodes it, with numbers as
// [json.Number]: as a client of the Admin API would have sent it. What is not set is nil.
// Credentials are in clear text.
func Encode(v any) any { return encode(reflect.ValueOf(v)) }

func encode(v reflect.Value) any {
	switch value := v.Interface().(type) {
	case wire.Secret:
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
		return encodeInt(value.Milliseconds())
	case map[string]any:
		if value == nil {
			return nil
		}
		return Plain(value)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return encode(v.Elem())
	case reflect.Struct:
		return encodeStruct(v)
	case reflect.Slice:
		return encodeList(v)
	case reflect.Map:
		return encodeMap(v)
	case reflect.String:
		if v.Len() == 0 {
			return nil
		}
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Float64:
		return encodeFloat(v.Float())
	default:
		return encodeInt(v.Int())
	}
}

func encodeInt(i int64) json.Number { return json.Number(strconv.FormatInt(i, 10)) }

func encodeFloat(f float64) json.Number { return json.Number(strconv.FormatFloat(f, 'f', -1, 64)) }

func encodeStruct(v reflect.Value) any {
	object := map[string]any{}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get(modelTag); name != "" && name != "-" {
			object[name] = encode(v.Field(i))
		}
	}
	return object
}

func encodeList(v reflect.Value) any {
	if v.IsNil() {
		return nil
	}
	list := make([]any, v.Len())
	for i := range list {
		list[i] = encode(v.Index(i))
	}
	return list
}

func encodeMap(v reflect.Value) any {
	if v.IsNil() {
		return nil
	}
	object := map[string]any{}
	for _, name := range v.MapKeys() {
		object[name.String()] = encode(v.MapIndex(name))
	}
	return object
}

// Plain returns a value that encoding/json decoded, such as a field's default, with its
// numbers as [json.Number].
func Plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, child := range v {
			object[name] = Plain(child)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = Plain(child)
		}
		return list
	case float64:
		return encodeFloat(v)
	default:
		return v
	}
}
