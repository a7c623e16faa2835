package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object. Values below are nil, bool, string, json.Number, []any
// and object.
type object = map[string]any

// maxDepth bounds how deep values nest.
const maxDepth = 64

// parseJSON reads one JSON value. A name that comes twice, and text that is not
// UTF-8, are errors.
func parseJSON(data []byte) (any, error) {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	v, err := readValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func readValue(d *jsontext.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("values nested deeper than %d levels", maxDepth)
	}
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case '[':
		list := []any{}
		for d.PeekKind() != ']' {
			v, err := readValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.ReadToken()
		return list, err
	default:
		return readObject(d, depth)
	}
}

func readObject(d *jsontext.Decoder, depth int) (any, error) {
	o := object{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		if o[key], err = readValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return o, err
}

// toJSON writes a value, indented unless indent is empty.
func toJSON(v any, indent string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		// Values are made of the kinds an object holds, which all can be written.
		return []byte("null\n")
	}
	return b.Bytes()
}

// prune returns a value without the fields of objects that are null, which are as
// good as absent.
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

// overlay returns base with what top has in its place: objects go into one
// another, lists do so element by element where they are equally long, and
// everything else is top's.
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

// text returns a field that is a string, and "" for anything else.
func text(o object, name string) string {
	s, _ := o[name].(string)
	return s
}
