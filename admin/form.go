package admin

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"

	"semlb/config"
	"semlb/config/form"
	"semlb/config/tree"
)

// parseForm returns the object that a form describes, with the values that the fields of f
// have. What is no such value stays a text, which config refuses.
func parseForm(values url.Values, f described) (object, error) {
	made := form.New(config.Position{})
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			if !utf8.ValidString(name) || !utf8.ValidString(value) {
				return nil, plainError(http.StatusBadRequest, "Cannot parse form body: it is not UTF-8")
			}
			if err := made.Add(name, tree.NewString(value)); err != nil {
				return nil, schemaViolation(wrong(err.Error(), name))
			}
		}
	}
	v, err := parseJSON(tree.AppendJSON(nil, made.Tree(f(made.Text("name")))))
	o, ok := v.(object)
	if err != nil || !ok {
		return nil, plainError(http.StatusBadRequest, "Cannot parse form body")
	}
	return o, nil
}
