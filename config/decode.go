package config

import (
	"reflect"
	"strconv"
	"time"
)

// decode fills v from a tree that has been checked. Where n is nil the default is
// taken. Fields are found by their tag.
func decode(s *spec, n *node, v reflect.Value) {
	if n == nil || n.kind == kindNull {
		n = fallbackNode(s.fallback)
	}
	if n == nil && (s.kind != kindObject || v.Kind() != reflect.Struct) {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Interface().(type) {
	case Secret:
		v.Set(reflect.ValueOf(NewSecret(n.text)))
		return
	case Number:
		v.SetString(string(n.numberText()))
		return
	case time.Duration:
		ms, _ := n.asNumber(s)
		v.SetInt(int64(ms * float64(time.Millisecond)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		decodeStruct(s, n, v)
	case reflect.Slice:
		if len(n.items) == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
		for i, item := range n.items {
			decode(s.item, item, v.Index(i))
		}
	case reflect.Map:
		if m, ok := n.plainValue().(map[string]any); ok && v.Type() == reflect.TypeOf(m) {
			v.Set(reflect.ValueOf(m))
		}
	case reflect.String:
		v.SetString(n.text)
	case reflect.Bool:
		b, _ := n.boolean()
		v.SetBool(b)
	case reflect.Float64:
		f, _ := n.asNumber(s)
		v.SetFloat(f)
	default:
		f, _ := n.asNumber(s)
		v.SetInt(int64(f))
	}
}

func decodeStruct(s *spec, n *node, v reflect.Value) {
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("kong")
		if child, ok := s.fields[name]; ok {
			decode(child, n.get(name), v.Field(i))
		}
	}
	if p := v.FieldByName("Position"); p.IsValid() && n != nil {
		p.Set(reflect.ValueOf(n.pos))
	}
}

// fallbackNode returns a default as a tree, or nil where there is none.
func fallbackNode(value any) *node {
	switch value := value.(type) {
	case bool:
		return &node{kind: kindBool, text: strconv.FormatBool(value)}
	case float64:
		return &node{kind: kindFloat, text: strconv.FormatFloat(value, 'f', -1, 64)}
	case string:
		return &node{kind: kindString, text: value}
	case []any:
		n := &node{kind: kindList}
		for _, item := range value {
			n.items = append(n.items, fallbackNode(item))
		}
		return n
	default:
		return nil
	}
}

// plainValue returns the node as encoding/json would decode it into any.
func (n *node) plainValue() any {
	switch n.kind {
	case kindObject:
		m := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			m[f.name] = f.value.plainValue()
		}
		return m
	case kindList:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plainValue()
		}
		return list
	case kindBool:
		b, _ := n.boolean()
		return b
	case kindInt, kindFloat:
		f, _ := n.number()
		return f
	case kindString:
		return n.text
	default:
		return nil
	}
}
