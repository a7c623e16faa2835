package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxBody bounds the body of a request.
const maxBody = 8 << 20

// maxIndex bounds the index of an element that a form names.
const maxIndex = 1000

// readBody reads the object a client sent, in JSON or as a form whose fields are
// those of a shape.
func readBody(w http.ResponseWriter, r *http.Request, s *shape) (object, *failure) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	switch media {
	case "application/x-www-form-urlencoded", "multipart/form-data":
		return readForm(r, media, s)
	default:
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, bodyFailure(err)
		}
		if len(data) == 0 {
			return object{}, nil
		}
		if media != "application/json" {
			return nil, plainFailure(http.StatusUnsupportedMediaType, "Cannot read the body: want Content-Type application/json, application/x-www-form-urlencoded or multipart/form-data")
		}
		v, err := parseJSON(data)
		o, ok := v.(object)
		if err != nil || !ok {
			return nil, plainFailure(http.StatusBadRequest, "Cannot parse JSON body")
		}
		return o, nil
	}
}

func bodyFailure(err error) *failure {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return plainFailure(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes", maxBody))
	}
	return plainFailure(http.StatusBadRequest, "Cannot read the body")
}

func readForm(r *http.Request, media string, s *shape) (object, *failure) {
	var values url.Values
	if media == "multipart/form-data" {
		if err := r.ParseMultipartForm(maxBody); err != nil { //nolint:gosec // the body is bounded
			return nil, bodyFailure(err)
		}
		values = r.MultipartForm.Value
	} else {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, bodyFailure(err)
		}
		if values, err = url.ParseQuery(string(data)); err != nil {
			return nil, plainFailure(http.StatusBadRequest, "Cannot parse form body")
		}
	}
	var root any = object{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			path, err := formPath(name)
			if !utf8.ValidString(name) || !utf8.ValidString(value) {
				return nil, plainFailure(http.StatusBadRequest, "Cannot parse form body: it is not UTF-8")
			}
			if err == nil {
				root, err = insert(root, path, value)
			}
			if err != nil {
				return nil, schemaViolation([]violation{wrong(err.Error(), name)})
			}
		}
	}
	o, _ := s.inferred(root).(object)
	return o, nil
}

// formPath reads the name of a field such as "config.targets[1].weight" or "tags[]".
// Elements count from 1; -1 is one more.
func formPath(name string) ([]any, error) {
	var path []any
	for _, step := range strings.Split(name, ".") {
		field, rest, indexed := strings.Cut(step, "[")
		if field == "" || len(path) > maxDepth {
			return nil, errors.New("malformed name of a form field")
		}
		path = append(path, field)
		for indexed {
			var number string
			number, rest, indexed = cutIndex(rest)
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
		if rest != "" && strings.Contains(step, "[") {
			return nil, errors.New("malformed name of a form field")
		}
	}
	return path, nil
}

// cutIndex splits "1][2]" into "1", "2]" and true, and "1]" into "1", "" and false.
func cutIndex(text string) (number, rest string, more bool) {
	number, rest, _ = strings.Cut(text, "]")
	if after, ok := strings.CutPrefix(rest, "["); ok {
		return number, after, true
	}
	return number, rest, false
}

// insert puts a value at a path below at. A value that comes again makes a list.
func insert(at any, path []any, value string) (any, error) {
	if len(path) == 0 {
		switch old := at.(type) {
		case nil:
			return value, nil
		case string:
			return []any{old, value}, nil
		case []any:
			return append(old, value), nil
		default:
			return nil, errors.New("got both a value and fields below it")
		}
	}
	var err error
	switch step := path[0].(type) {
	case int:
		list, ok := at.([]any)
		if !ok && at != nil {
			return nil, errors.New("got both a list and something else")
		}
		if step < 0 {
			step = len(list)
		}
		for len(list) <= step {
			list = append(list, nil)
		}
		list[step], err = insert(list[step], path[1:], value)
		return list, err
	default:
		o, ok := at.(object)
		if !ok && at != nil {
			return nil, errors.New("got both a value and fields below it")
		}
		if o == nil {
			o = object{}
		}
		name, _ := step.(string)
		o[name], err = insert(o[name], path[1:], value)
		return o, err
	}
}

// inferred returns the texts of a form as the values of a shape. What cannot be one
// stays a text, which is told when it is checked.
func (s *shape) inferred(v any) any {
	switch v := v.(type) {
	case object:
		for name, child := range v {
			if field := s.field(name); field != nil {
				v[name] = field.inferred(child)
			}
		}
		return v
	case []any:
		if len(v) == 1 && v[0] == "" {
			return []any{} // "tags[]=" is the form of an empty list
		}
		if s.item != nil {
			for i, child := range v {
				v[i] = s.item.inferred(child)
			}
		}
		return v
	case string:
		return s.inferredText(v)
	default:
		return v
	}
}

func (s *shape) inferredText(text string) any {
	switch {
	case text == "":
		return nil
	case s.typ == "array":
		return []any{s.item.inferred(text)}
	case s.typ == "boolean" && (text == "true" || text == "false"):
		return text == "true"
	case s.typ == "integer" || s.typ == "number":
		if v, err := parseJSON([]byte(text)); err == nil {
			if n, ok := v.(json.Number); ok {
				return n
			}
		}
	}
	return text
}
