package config

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
	text := strings.TrimLeft(data[0].word.plain(), " \t\r\n")
	return data[0].kind >= dataEncoded || text != "" && !strings.ContainsAny(text[:1], `{["$`) && strings.Contains(text, "=")
}

// form returns the object that a form's fields make, as Kong's Admin API reads them:
// config.targets[1].weight=2.
func (r *scriptReader) form(pos Position, parts []string, data []curlData) *node {
	root := &node{kind: kindObject, pos: pos}
	count := 0
	for _, d := range data {
		fields := []shellWord{d.word}
		if d.kind <= dataRaw {
			fields = d.word.split('&')
		}
		if count += len(fields); count > maxFormFields {
			r.problem(pos, "", "too many values")
			return nil
		}
		for _, w := range fields {
			name, value := w.cut('=')
			path := formPath(name.plain())
			if d.kind <= dataRaw {
				value = value.unescaped()
			}
			n := r.formValue(pos, value)
			if n == nil {
				return nil
			}
			if path == nil || !insertField(root, path, n) {
				r.problem(pos, "", "got a form field whose name is malformed or does not fit the others")
				return nil
			}
		}
	}
	if err := root.seal(); err != nil {
		r.problem(pos, "", "%s", err)
		return nil
	}
	s := r.bodySpec(parts)
	return converted(s, formTyped(s, root))
}

// formValue returns the text of a form field.
func (r *scriptReader) formValue(pos Position, value shellWord) *node {
	doc := r.document(value)
	if doc == nil {
		return nil
	}
	n := &node{kind: kindString, pos: pos, text: string(doc.text)}
	if len(value.pieces) > 0 {
		n.pos = r.position(value.pieces[0].start)
	}
	n.hidden, n.broken = doc.filled(0, len(doc.text))
	return n
}

// bodySpec returns the table of what a request makes.
func (r *scriptReader) bodySpec(parts []string) *spec {
	kind := parts[0]
	if len(parts) > 2 {
		kind = parts[2]
	}
	if kind == "plugins" {
		return r.table
	}
	if list := credentialLists[kind]; list != "" {
		return r.entities.fields["consumer"].fields[list].item
	}
	return r.entities.fields[strings.TrimSuffix(kind, "s")]
}

// formPath returns the steps of a form field's name: names of fields, and indexes in
// brackets. It is nil where the name is malformed.
func formPath(name string) []string {
	var path []string
	for _, step := range strings.Split(name, ".") {
		m := formStep.FindStringSubmatch(step)
		if m == nil || len(path) > maxHeight {
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

// insertField puts a value at a path below an object or a list that is being made. It
// reports whether the path fits what is there.
func insertField(at *node, path []string, value *node) bool {
	slot := fieldSlot(at, path[0])
	switch {
	case slot == nil:
		return false
	case len(path) > 1:
		if *slot == nil || (*slot).kind == kindNull {
			*slot = &node{kind: kindObject, pos: value.pos}
			if strings.HasPrefix(path[1], "[") {
				(*slot).kind = kindList
			}
		}
		return insertField(*slot, path[1:], value)
	case *slot == nil || (*slot).kind == kindNull:
		*slot = value
	case (*slot).kind == kindString: // a field that comes again makes a list
		*slot = &node{kind: kindList, pos: (*slot).pos, items: []*node{*slot, value}}
	case (*slot).kind == kindList:
		(*slot).items = append((*slot).items, value)
	default:
		return false
	}
	return true
}

// fieldSlot returns where the value of a step is kept, or nil where the step does not
// fit. Elements count from 1; [] is one more.
func fieldSlot(at *node, step string) **node {
	index, isIndex := strings.CutPrefix(step, "[")
	if !isIndex {
		if at.kind != kindObject {
			return nil
		}
		i := slices.IndexFunc(at.fields, func(f field) bool { return f.name == step })
		if i < 0 {
			i = len(at.fields)
			at.fields = append(at.fields, field{name: step, pos: at.pos})
		}
		return &at.fields[i].value
	}
	i := len(at.items) + 1
	if index != "]" {
		i, _ = strconv.Atoi(strings.TrimSuffix(index, "]"))
	}
	if at.kind != kindList || i < 1 || i > maxFormIndex {
		return nil
	}
	for len(at.items) < i {
		at.items = append(at.items, &node{pos: at.pos})
	}
	return &at.items[i-1]
}

// formTyped returns the values of a form with what only a form writes otherwise: an
// empty text is no value, a single value is a list of one.
func formTyped(s *spec, n *node) *node {
	c := *n
	switch {
	case s == nil:
		return n
	case n.kind == kindString && n.text == "" && !n.broken:
		return &node{pos: n.pos}
	case n.kind == kindString && s.kind == kindList && s.item != nil:
		return &node{kind: kindList, pos: n.pos, items: []*node{formTyped(s.item, n)}}
	case n.kind == kindList:
		c.items = nil
		for _, item := range n.items {
			if len(n.items) > 1 || item.text != "" || item.kind != kindString {
				c.items = append(c.items, formTyped(s.item, item))
			}
		}
	case n.kind == kindObject:
		c.fields = slices.Clone(n.fields)
		for i, f := range c.fields {
			c.fields[i].value = formTyped(s.fields[f.name], f.value)
		}
	}
	return &c
}

// split returns the parts of a word between separators. Variables are not split.
func (w shellWord) split(separator byte) []shellWord {
	var all []shellWord
	for {
		first, rest := w.cut(separator)
		all = append(all, first)
		if rest.pieces == nil {
			return all
		}
		w = rest
	}
}

// cut returns what is before the first separator of a word and what is behind it.
func (w shellWord) cut(separator byte) (before, behind shellWord) {
	for i, p := range w.pieces {
		at := strings.IndexByte(p.text, separator)
		if p.variable != "" || p.unread || at < 0 {
			continue
		}
		left, right := p, p
		left.text, right.text, right.start = p.text[:at], p.text[at+1:], p.start+at+1
		before.pieces = append(slices.Clone(w.pieces[:i]), left)
		behind.pieces = append([]shellPiece{right}, w.pieces[i+1:]...)
		return before, behind
	}
	return w, shellWord{}
}

// unescaped returns a word of a form without its escapes.
func (w shellWord) unescaped() shellWord {
	c := shellWord{slices.Clone(w.pieces)}
	for i, p := range c.pieces {
		if text, err := url.QueryUnescape(p.text); err == nil && p.variable == "" {
			c.pieces[i].text = text
		}
	}
	return c
}
