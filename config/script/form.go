package script

import (
	"cmp"
	"errors"
	"strings"

	"semlb/config"
	"semlb/config/form"
	"semlb/config/format"
	"semlb/config/schema"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

// isForm reports whether data is a form, and not JSON.
func isForm(data []curlData) bool {
	if len(data) == 0 || data[0].kind == dataJSON {
		return false
	}
	text := strings.TrimLeft(data[0].word.Plain(), " \t\r\n")
	return data[0].kind >= dataEncoded || text != "" && !strings.ContainsAny(text[:1], `{["$`) && strings.Contains(text, "=")
}

// form returns the object that a form's fields make, as Kong's Admin API reads them:
// config.targets[1].weight=2.
func (s curlReader) form(pos config.Position, parts []string, data []curlData) *tree.Node {
	made := form.New(pos)
	for _, d := range data {
		fields := []shell.Word{d.word}
		if d.kind <= dataRaw {
			fields = d.word.Split('&')
		}
		for _, w := range fields {
			name, value := w.Cut('=')
			switch {
			case d.kind <= dataRaw:
				value = value.Unescaped()
			case d.kind == dataForm:
				value = value.Before(";type=")
			}
			n := s.formValue(pos, value)
			if n == nil {
				return nil
			}
			if err := made.Add(name.Plain(), n); err != nil {
				s.Problem(pos, "", "%s", formProblem(err))
				return nil
			}
		}
	}
	return made.Tree(fieldOf(s.Tables, parts, made.Text("name")))
}

// formProblem says what is wrong with a form.
func formProblem(err error) string {
	if errors.Is(err, form.ErrTooMany) {
		return err.Error()
	}
	return "got a form field whose name is malformed or does not fit the others"
}

// formValue returns the text of a form field.
func (s curlReader) formValue(pos config.Position, value shell.Word) *tree.Node {
	doc := s.document(value)
	if doc == nil {
		return nil
	}
	if len(value.Pieces) > 0 {
		pos = s.position(value.Pieces[0].Start)
	}
	return doc.String(pos)
}

// fieldOf returns what the schema has for the body of a request to a path, with the name
// that the body has; nil for an unknown one.
func fieldOf(tables *schema.Tables, parts []string, name string) *schema.Field {
	collection := parts[0]
	if len(parts) > 2 {
		collection = parts[2]
	}
	if collection == "plugins" {
		return cmp.Or(tables.Named(name), tables.Plugin)
	}
	if kind, ok := format.CredentialAt(collection); ok {
		return tables.Entities[config.KindConsumer].Fields[kind.List].Elements
	}
	return tables.Entities[collections[collection]]
}
