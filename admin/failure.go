package admin

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"semlb/config"
)

// Kong's codes of errors.
const (
	codeSchemaViolation = 2
	codePrimaryKey      = 3
	codeForeignKey      = 4
	codeUnique          = 5
	codeInvalidOffset   = 7
	codeInvalidSize     = 9
	codeInvalidOptions  = 11
	codeUnsupported     = 12
	codeUnresolved      = 13
)

// failure is an answer that is not what was asked for. It holds no secret.
type failure struct {
	status  int
	code    int
	name    string
	message string
	fields  object
}

// Error returns the message.
func (f *failure) Error() string { return f.message }

// body returns the answer as Kong has it; those without a code are a message alone.
func (f *failure) body() object {
	if f.code == 0 {
		return object{"message": f.message}
	}
	fields := f.fields
	if fields == nil {
		fields = object{}
	}
	return object{"code": f.code, "name": f.name, "message": f.message, "fields": fields}
}

func plainFailure(status int, message string) *failure {
	return &failure{status: status, message: message}
}

func notFound() *failure { return plainFailure(http.StatusNotFound, "Not found") }

func notAllowed() *failure {
	return plainFailure(http.StatusMethodNotAllowed, "Method not allowed")
}

// violation is one thing that is wrong with an entity: at a path of names and
// indices, or with the entity as a whole where the path is empty.
type violation struct {
	path []any
	text string
}

func wrong(text string, path ...any) violation { return violation{path: path, text: text} }

const missing = "required field missing"

// String returns "a.b[0]: text".
func (v violation) String() string {
	if len(v.path) == 0 {
		return v.text
	}
	return pathText(v.path) + ": " + v.text
}

func pathText(path []any) string {
	var b strings.Builder
	for _, step := range path {
		switch step := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(step) + "]")
		case string:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		}
	}
	return b.String()
}

// parsePath reads a path below a value as package config writes it. Only what is a
// list has indices: names are the client's to choose, and may look like one.
func parsePath(text string, v any) []any {
	var path []any
	for _, step := range strings.Split(text, ".") {
		name, rest, indexed := strings.Cut(step, "[")
		o, _ := v.(object)
		if list, ok := o[name].([]any); indexed && ok {
			path, v = append(path, name), any(list)
			for index := range strings.SplitSeq(rest, "[") {
				list, _ := v.([]any)
				i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
				if err != nil || i < 0 || i >= len(list) {
					break
				}
				path, v = append(path, i), list[i]
			}
			continue
		}
		if v = o[step]; step != "" {
			path = append(path, step)
		}
	}
	return path
}

// schemaViolation tells everything that is wrong with an entity; the first of
// several about one place counts.
func schemaViolation(violations []violation) *failure {
	f := &failure{status: http.StatusBadRequest, code: codeSchemaViolation, name: "schema violation", fields: object{}}
	var texts []string
	seen := map[string]bool{}
	for _, v := range violations {
		at := pathText(v.path)
		if at != "" && seen[at] {
			continue
		}
		seen[at] = true
		texts = append(texts, v.String())
		if len(v.path) == 0 {
			whole, _ := f.fields["@entity"].([]any)
			f.fields["@entity"] = append(whole, v.text)
			continue
		}
		f.fields, _ = place(f.fields, v.path, v.text).(object)
	}
	count := "schema violation"
	if len(texts) != 1 {
		count = fmt.Sprintf("%d schema violations", len(texts))
	}
	f.message = fmt.Sprintf("%s (%s)", count, strings.Join(texts, "; "))
	return f
}

// place puts a text at a path below a value. Elements of lists that are good are
// null.
func place(at any, path []any, text string) any {
	if len(path) == 0 {
		if at != nil {
			return at // something below is wrong as well, which says more
		}
		return text
	}
	switch step := path[0].(type) {
	case int:
		list, _ := at.([]any)
		for len(list) <= step {
			list = append(list, nil)
		}
		list[step] = place(list[step], path[1:], text)
		return list
	default:
		o, ok := at.(object)
		if !ok {
			o = object{}
		}
		name, _ := step.(string)
		o[name] = place(o[name], path[1:], text)
		return o
	}
}

// faultViolation returns a fault of package config as a violation at a path.
func faultViolation(f config.Fault, path []any) violation {
	text := f.Problem
	switch {
	case text != "":
	case f.Got == "nothing" && strings.HasPrefix(f.Want, "a value "):
		text = missing + ": want " + f.Want
	case f.Got == "nothing":
		text = missing
	default:
		text = "got " + f.Got + ", want " + f.Want
	}
	return violation{path: path, text: text}
}

// faultsOf returns the faults of an error of [config.Load].
func faultsOf(err error) config.Faults {
	var faults config.Faults
	errors.As(err, &faults)
	return faults
}

// uniqueViolation says that another entity has what must be unique.
func uniqueViolation(key object) *failure {
	return &failure{
		status: http.StatusConflict, code: codeUnique, name: "unique constraint violation",
		message: fmt.Sprintf("UNIQUE violation detected on '%s'", luaText(key)), fields: key,
	}
}

// luaText writes an object the way Kong's messages do.
func luaText(o object) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		switch v := o[name].(type) {
		case object:
			parts = append(parts, name+"="+luaText(v))
		case nil:
			parts = append(parts, name+"=null")
		default:
			parts = append(parts, name+"="+strings.TrimSuffix(string(toJSON(v, "")), "\n"))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func foreignKeyViolation(field string, key object, kind string) *failure {
	return &failure{
		status: http.StatusBadRequest, code: codeForeignKey, name: "foreign key violation",
		message: fmt.Sprintf("the foreign key '%s' does not reference an existing '%s' entity.", luaText(key), kind),
		fields:  object{field: key},
	}
}

func unresolved(field, key, value, kind string) *failure {
	text := fmt.Sprintf("the foreign key cannot be resolved with '%s' for an existing '%s' entity", luaText(object{key: value}), kind)
	return &failure{
		status: http.StatusBadRequest, code: codeUnresolved, name: "foreign keys unresolved",
		message: fmt.Sprintf("foreign key unresolved (%s.%s: %s)", field, key, text),
		fields:  object{field: object{key: text}},
	}
}

func referenced(kind, by string) *failure {
	return &failure{
		status: http.StatusBadRequest, code: codeForeignKey, name: "foreign key violation",
		message: fmt.Sprintf("an existing '%s' entity references this '%s' entity", by, kind),
		fields:  object{"@referenced_by": by},
	}
}
