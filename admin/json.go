package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep values nest.
const maxDepth = 64

var errTooDeep = errors.New("values are nested too deep")

// objectValues makes numbers json.Number, and bounds the depth.
var objectValues = jsonv2.WithUnmarshalers(jsonv2.UnmarshalFromFunc(func(d *jsontext.Decoder, v *any) error {
	if d.StackDepth() > maxDepth {
		return errTooDeep
	}
	if d.PeekKind() != '0' {
		return errors.ErrUnsupported
	}
	number, err := d.ReadValue()
	*v = json.Number(number.String())
	return err
}))

// parseJSON reads one JSON value. Names that occur twice, and text that is not UTF-8,
// are errors.
func parseJSON(data []byte) (any, error) {
	var v any
	err := jsonv2.Unmarshal(data, &v, objectValues)
	return v, err
}

// toJSON writes a value, indented unless indent is empty.
func toJSON(v any, indent string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		// The values of an object can all be written.
		return []byte("null\n")
	}
	return b.Bytes()
}

// prune returns a value without the fields that are null: null is as good as absent.
func prune(v any) any {
	switch v := v.(type) {
	case object:
		kept := make(object, len(v))
		for name, child := range v {
			if child != nil {
				kept[name] = prune(child)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, child := range v {
			kept[i] = prune(child)
		}
		return kept
	default:
		return v
	}
}

// overlay returns base with the values of top over it. Objects are merged, and so are
// lists of the same length, element by element.
func overlay(base, top any) any {
	switch t := top.(type) {
	case nil:
		return base
	case object:
		b, ok := base.(object)
		if !ok {
			return t
		}
		merged := maps.Clone(b)
		for name, v := range t {
			merged[name] = overlay(b[name], v)
		}
		return merged
	case []any:
		b, ok := base.([]any)
		if !ok || len(b) != len(t) {
			return t
		}
		merged := make([]any, len(t))
		for i := range t {
			merged[i] = overlay(b[i], t[i])
		}
		return merged
	default:
		return top
	}
}
