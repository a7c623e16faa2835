package script

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/schema"
	"semlb/config/script/shell"
	"semlb/config/tree"
)

// Bounds of a form: the index of an element that it names, and its fields.
const (
	maxFormIndex  = 1000
	maxFormFields = 10_000
)

// formStep matches a step of a form field's name, such as targets[1] or tags[].
var formStep = regexp.MustCompile(`^([^\[\]]+)((?:\[[0-9]*\])*)$`)

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
func (s *scriptReader) form(pos config.Position, parts []string, data []curlData) *tree.Node {
	made := formTree{root: &tree.Node{Kind: tree.Object, Pos: pos}}
	count := 0
	for _, d := range data {
		fields := []shell.Word{d.word}
		if d.kind <= dataRaw {
			fields = d.word.Split('&')
		}
		if count += len(fields); count > maxFormFields {
			s.Problem(pos, "", "too many values")
			return nil
		}
		for _, w := range fields {
			name, value := w.Cut('=')
			path := formPath(name.Plain())
			if d.kind <= dataRaw {
				value = value.Unescaped()
			}
			n := s.formValue(pos, value)
			if n == nil {
				return nil
			}
			if path == nil || !made.insert(made.root, path, n) {
				s.Problem(pos, "", "got a form field whose name is malformed or does not fit the others")
				return nil
			}
			if made.size > tree.MaxValues {
				s.Problem(pos, "", "too many values")
				return nil
			}
		}
	}
	f := fieldOf(s.Tables, parts)
	return f.Converted(formTyped(f, made.root))
}

// formValue returns the text of a form field.
func (s *scriptReader) formValue(pos config.Position, value shell.Word) *tree.Node {
	doc := s.document(value)
	if doc == nil {
		return nil
	}
	if len(value.Pieces) > 0 {
		pos = s.position(value.Pieces[0].Start)
	}
	return doc.String(pos)
}

// fieldOf returns what the schema has for the body of a request to a path; nil for an
// unknown one.
func fieldOf(tables *schema.Tables, parts []string) *schema.Field {
	collection := parts[0]
	if len(parts) > 2 {
		collection = parts[2]
	}
	if collection == "plugins" {
		return tables.Plugin
	}
	if kind, ok := format.CredentialOf(collection); ok {
		return tables.Entities[config.KindConsumer].Fields[kind.List].Elements
	}
	return tables.Entities[collections[collection]]
}

// formPath returns the steps of a form field's name: names of fields, and indexes in
// brackets. It is nil where the name is malformed.
func formPath(name string) []string {
	var path []string
	for _, step := range strings.Split(name, ".") {
		m := formStep.FindStringSubmatch(step)
		if m == nil || len(path) > tree.MaxHeight {
			return nil
		}
		path = append(path, m[1])
		for _, index := range strings.SplitAfter(m[2], "]") {
			if index != "" {
				path = append(path, index)
			}
		}
	}
	return path
}

// formTree is the object that a form's fields make.
type formTree struct {
	root *tree.Node
	// size counts its values. Indexes make elements that no field names, so the number
	// of fields does not bound it.
	size int
}

// insert puts a value at a path below an object or a list. It reports whether the path
// fits what is there.
func (t *formTree) insert(at *tree.Node, path []string, value *tree.Node) bool {
	slot := t.slot(at, path[0])
	switch {
	case slot == nil:
		return false
	case len(path) > 1:
		if *slot == nil || (*slot).Kind == tree.Null {
			*slot = &tree.Node{Kind: tree.Object, Pos: value.Pos}
			if strings.HasPrefix(path[1], "[") {
				(*slot).Kind = tree.List
			}
		}
		return t.insert(*slot, path[1:], value)
	case *slot == nil || (*slot).Kind == tree.Null:
		*slot = value
	case (*slot).Kind == tree.String: // a field that comes again makes a list
		*slot = &tree.Node{Kind: tree.List, Pos: (*slot).Pos, Items: []*tree.Node{*slot, value}}
	case (*slot).Kind == tree.List:
		(*slot).Items = append((*slot).Items, value)
	default:
		return false
	}
	return true
}

// slot returns where the value of a step is kept, or nil where the step does not fit.
// Elements count from 1; [] is one more.
func (t *formTree) slot(at *tree.Node, step string) **tree.Node {
	index, isIndex := strings.CutPrefix(step, "[")
	if !isIndex {
		if at.Kind != tree.Object {
			return nil
		}
		i := slices.IndexFunc(at.Fields, func(f tree.Field) bool { return f.Name == step })
		if i < 0 {
			i = len(at.Fields)
			at.Fields = append(at.Fields, tree.Field{Name: step, Pos: at.Pos})
			t.size++
		}
		return &at.Fields[i].Value
	}
	i := len(at.Items) + 1
	if index != "]" {
		i, _ = strconv.Atoi(strings.TrimSuffix(index, "]"))
	}
	if at.Kind != tree.List || i < 1 || i > maxFormIndex {
		return nil
	}
	for len(at.Items) < i {
		at.Items = append(at.Items, &tree.Node{Pos: at.Pos})
		t.size++
	}
	return &at.Items[i-1]
}

// formTyped returns the values of a form with what only a form writes otherwise: an
// empty text is no value, a single value is a list of one.
func formTyped(f *schema.Field, n *tree.Node) *tree.Node {
	c := *n
	switch {
	case f == nil:
		return n
	case n.Kind == tree.String && n.Text == "" && !n.Broken:
		return &tree.Node{Pos: n.Pos}
	case n.Kind == tree.String && f.Kind == tree.List && f.Elements != nil:
		return &tree.Node{Kind: tree.List, Pos: n.Pos, Items: []*tree.Node{formTyped(f.Elements, n)}}
	case n.Kind == tree.List:
		c.Items = nil
		for _, item := range n.Items {
			if len(n.Items) > 1 || item.Text != "" || item.Kind != tree.String {
				c.Items = append(c.Items, formTyped(f.Elements, item))
			}
		}
	case n.Kind == tree.Object:
		c.Fields = slices.Clone(n.Fields)
		for i, child := range c.Fields {
			c.Fields[i].Value = formTyped(f.Fields[child.Name], child.Value)
		}
	}
	return &c
}
