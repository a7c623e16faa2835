package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"semlb/config/schema"
)

// maxIndex bounds the index of an element in a form.
const maxIndex = 1000

// parseForm returns the object that a form describes, with the values that f has.
func parseForm(values url.Values, f *schema.Field) (object, error) {
	var root any = object{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			if !utf8.ValidString(name) || !utf8.ValidString(value) {
				return nil, plainError(http.StatusBadRequest, "Cannot parse form body: it is not UTF-8")
			}
			path, err := parseFormName(name)
			if err == nil {
				root, err = insert(root, path, value)
			}
			if err != nil {
				return nil, schemaViolation(wrong(err.Error(), name))
			}
		}
	}
	o, _ := typed(f, root).(object)
	return o, nil
}

// parseFormName reads the name of a form's field, such as "config.targets[1].weight" or
// "tags[]". Kong counts elements from 1; the path counts them from 0, and -1 appends one.
func parseFormName(name string) (fieldPath, error) {
	var path fieldPath
	for step := range strings.SplitSeq(name, ".") {
		field, indices, indexed := strings.Cut(step, "[")
		if field == "" || len(path) > maxDepth {
			return nil, errors.New("malformed name of a form field")
		}
		path = append(path, field)
		if !indexed {
			continue
		}
		var err error
		if path, err = appendIndices(path, indices); err != nil {
			return nil, err
		}
	}
	return path, nil
}

// appendIndices appends indices, such as "1][2]" or "]", to a path.
func appendIndices(path fieldPath, text string) (fieldPath, error) {
	for more := true; more; {
		number, rest, _ := strings.Cut(text, "]")
		text, more = strings.CutPrefix(rest, "[")
		i, err := strconv.Atoi(number)
		switch {
		case number == "":
			path = append(path, -1)
		case err == nil && i >= 1 && i <= maxIndex:
			path = append(path, i-1)
		default:
			return nil, fmt.Errorf("malformed index, want 1 to %d", maxIndex)
		}
	}
	if text != "" {
		return nil, errors.New("malformed name of a form field")
	}
	return path, nil
}

// insert puts a text at a path below a value. A field that occurs again becomes a list.
func insert(v any, path fieldPath, text string) (any, error) {
	if len(path) == 0 {
		return insertText(v, text)
	}
	var err error
	switch step := path[0].(type) {
	case int:
		list, ok := v.([]any)
		if !ok && v != nil {
			return nil, errors.New("got both a list and something else")
		}
		if step < 0 {
			step = len(list)
		}
		for len(list) <= step {
			list = append(list, nil)
		}
		list[step], err = insert(list[step], path[1:], text)
		return list, err
	default:
		o, ok := v.(object)
		if !ok && v != nil {
			return nil, errors.New("got both a value and fields below it")
		}
		if o == nil {
			o = object{}
		}
		name, _ := step.(string)
		o[name], err = insert(o[name], path[1:], text)
		return o, err
	}
}

func insertText(old any, text string) (any, error) {
	switch old := old.(type) {
	case nil:
		return text, nil
	case string:
		return []any{old, text}, nil
	case []any:
		return append(old, text), nil
	default:
		return nil, errors.New("got both a value and fields below it")
	}
}

// typed returns the texts of a form as values of a field. What is no such value stays a
// text, which config refuses.
func typed(f *schema.Field, v any) any {
	switch v := v.(type) {
	case object:
		for name, child := range v {
			if field := fieldOf(f, name); field != nil {
				v[name] = typed(field, child)
			}
		}
		return v
	case []any:
		if len(v) == 1 && v[0] == "" {
			return []any{} // "tags[]=" is the form of an empty list
		}
		if f.Elements != nil {
			for i, child := range v {
				v[i] = typed(f.Elements, child)
			}
		}
		return v
	case string:
		return typedText(f, v)
	default:
		return v
	}
}

func typedText(f *schema.Field, text string) any {
	switch typ := f.Type(); {
	case text == "":
		return nil
	case typ == "array":
		return []any{typedText(f.Elements, text)}
	case typ == "boolean" && (text == "true" || text == "false"):
		return text == "true"
	case typ == "integer" || typ == "number":
		v, err := parseJSON([]byte(text))
		if n, ok := v.(json.Number); ok && err == nil {
			return n
		}
	}
	return text
}
