package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"semlb/config/deck"
	"semlb/config/format"
	"semlb/config/kubernetes"
	"semlb/config/schema"
	"semlb/config/script"
	"semlb/config/terraform"
)

// formats are those that are known. A value of a YAML or JSON file is offered to them
// from the last to the first, because decK's takes whatever nothing else is.
var formats = []format.Format{
	deck.Format(),
	kubernetes.Format(),
	terraform.Format(),
	script.AdminAPI(),
	script.Konnect(),
	script.Format(),
}

// Writable returns the names of the formats that [Convert] writes.
func Writable() []string {
	return namesOf(func(f format.Format) bool { return f.Write != nil })
}

// Described returns the names of the formats that [JSONSchema] describes.
func Described() []string {
	return namesOf(func(f format.Format) bool { return f.JSONSchema != nil })
}

func namesOf(has func(format.Format) bool) []string {
	var names []string
	for _, f := range formats {
		if has(f) {
			names = append(names, f.Name)
		}
	}
	return names
}

// find returns the format of a name among names.
func find(name string, names []string) (format.Format, error) {
	i := slices.IndexFunc(formats, func(f format.Format) bool { return f.Name == name })
	if i < 0 || !slices.Contains(names, name) {
		return format.Format{}, fmt.Errorf("%q: want %s", name, alternatives(names))
	}
	return formats[i], nil
}

// alternatives returns "a, b or c".
func alternatives(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// noFormat is the problem of a file that is in none of the formats.
func noFormat() string {
	var known []string
	for _, f := range formats {
		if f.Description != "" {
			known = append(known, f.Description)
		}
	}
	last := len(known) - 1
	return "this is none of the formats that are read: " + strings.Join(known[:last], ", ") + ", or " + known[last]
}

// JSONSchema returns the JSON Schema (2020-12) of files of a format, for editors. What is
// not supported yet is no allowed value, and fields say so. An empty version of Kong is
// the default one.
func JSONSchema(name, kongVersion string) ([]byte, error) {
	f, err := find(name, Described())
	if err != nil {
		return nil, fmt.Errorf("schema of %w", err)
	}
	tables, err := schema.For(kongVersion)
	if err != nil {
		return nil, err
	}
	root := f.JSONSchema(tables)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "semlb: " + name
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("write schema: %w", err)
	}
	return text.Bytes(), nil
}

// Compatibility returns the document, in Markdown, that lists what is not supported yet
// and what this project adds.
func Compatibility() ([]byte, error) {
	var rows []schema.Beside
	for _, f := range formats {
		if f.Beside != nil {
			rows = append(rows, *f.Beside)
		}
	}
	return schema.Compatibility(rows)
}
