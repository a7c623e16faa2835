package admin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// violation is one thing that is wrong with an entity: with the value at a path, or with
// the entity as a whole where the path is empty.
type violation struct {
	path fieldPath
	text string
}

const missing = "required field missing"

// wrong returns a violation at a path of names.
func wrong(text string, names ...string) violation {
	v := violation{text: text}
	for _, name := range names {
		v.path = append(v.path, name)
	}
	return v
}

// String returns "a.b[0]: text".
func (v violation) String() string {
	if len(v.path) == 0 {
		return v.text
	}
	return v.path.String() + ": " + v.text
}

// String returns a path such as "config.targets[0].weight".
func (p fieldPath) String() string {
	var b strings.Builder
	for _, step := range p {
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

// schemaViolation returns one error for everything that is wrong with an entity. Of
// several violations at one path it has the first.
func schemaViolation(violations ...violation) error {
	fields := object{}
	var texts []string
	seen := map[string]bool{}
	for _, v := range violations {
		at := v.path.String()
		if at != "" && seen[at] {
			continue
		}
		seen[at] = true
		texts = append(texts, v.String())
		if len(v.path) == 0 {
			entity, _ := fields["@entity"].([]any)
			fields["@entity"] = append(entity, v.text)
			continue
		}
		fields, _ = setText(fields, v.path, v.text).(object)
	}
	count := "schema violation"
	if len(texts) != 1 {
		count = fmt.Sprintf("%d schema violations", len(texts))
	}
	return &apiError{
		status: http.StatusBadRequest, code: codeSchemaViolation, name: "schema violation",
		message: fmt.Sprintf("%s (%s)", count, strings.Join(texts, "; ")), fields: fields,
	}
}

// setText puts a text at a path below a value, which it makes as needed. Elements before
// it in a list are null.
func setText(v any, path fieldPath, text string) any {
	if len(path) == 0 {
		if v != nil {
			return v // a violation further down, which is more precise
		}
		return text
	}
	switch step := path[0].(type) {
	case int:
		list, _ := v.([]any)
		for len(list) <= step {
			list = append(list, nil)
		}
		list[step] = setText(list[step], path[1:], text)
		return list
	default:
		o, ok := v.(object)
		if !ok {
			o = object{}
		}
		name, _ := step.(string)
		o[name] = setText(o[name], path[1:], text)
		return o
	}
}
