package schema

import (
	"reflect"
	"time"

	"semlb/config"
	"semlb/config/tree"
	"semlb/wire"
)

// modelTag is the tag of the model's fields with the names that the schema has for them.
const modelTag = "kong"

// Decode fills what v points to from a value that was checked. Missing fields get their
// defaults; n may be nil.
func (f *Field) Decode(n *tree.Node, v any) { f.decode(n, reflect.ValueOf(v).Elem()) }

func (f *Field) decode(n *tree.Node, v reflect.Value) {
	if n == nil || n.Kind == tree.Null {
		n = tree.FromValue(f.Default)
	}
	if n == nil && (f.Kind != tree.Object || v.Kind() != reflect.Struct) {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Interface().(type) {
	case wire.Secret:
		v.Set(reflect.ValueOf(wire.NewSecret(n.Text)))
	case config.Number:
		v.SetString(string(n.NumberText()))
	case time.Duration:
		milliseconds, _ := f.Number(n)
		v.SetInt(int64(milliseconds * float64(time.Millisecond)))
	default:
		f.decodeKind(n, v)
	}
}

func (f *Field) decodeKind(n *tree.Node, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		f.decodeStruct(n, v)
	case reflect.Slice:
		if len(n.Items) == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
		for i, item := range n.Items {
			f.Elements.decode(item, v.Index(i))
		}
	case reflect.Map:
		if m, ok := n.Value().(map[string]any); ok && v.Type() == reflect.TypeOf(m) {
			v.Set(reflect.ValueOf(m))
		}
	case reflect.String:
		v.SetString(n.Text)
	case reflect.Bool:
		b, _ := n.Bool()
		v.SetBool(b)
	case reflect.Float64:
		number, _ := f.Number(n)
		v.SetFloat(number)
	default:
		number, _ := f.Number(n)
		v.SetInt(int64(number))
	}
}

func (f *Field) decodeStruct(n *tree.Node, v reflect.Value) {
	for i := range v.NumField() {
		if child := f.Fields[v.Type().Field(i).Tag.Get(modelTag)]; child != nil {
			child.decode(n.Get(child.Name), v.Field(i))
		}
	}
	if p := v.FieldByName("Position"); p.IsValid() && n != nil {
		p.Set(reflect.ValueOf(n.Pos))
	}
}
