package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parseYAML returns the trees of a YAML stream, one for each document that is not
// empty.
func parseYAML(d *document) ([]*node, Faults) {
	var trees []*node
	decoder := yaml.NewDecoder(bytes.NewReader(d.text))
	for {
		var y yaml.Node
		err := decoder.Decode(&y)
		if errors.Is(err, io.EOF) {
			return trees, nil
		}
		if err != nil {
			return nil, Faults{yamlFault(d, err)}
		}
		b := yamlBuilder{doc: d, done: map[*yaml.Node]*node{}}
		b.measure(&y)
		tree := b.build(&y)
		if b.faults != nil {
			return nil, b.faults
		}
		if tree.kind != kindNull {
			trees = append(trees, tree)
		}
	}
}

// yamlFault turns an error of the YAML parser into a fault. The parser names its
// line; the names it quotes may be anything, so they are left out.
func yamlFault(d *document, err error) Fault {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	pos := Position{File: d.name}
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[1])
		line = min(max(line, 1), len(d.lines))
		pos.Line = d.sourceLine(d.lines[line-1])
		text = m[2]
	}
	if strings.Contains(text, "anchor") {
		text = "unknown anchor"
	}
	return Fault{Position: pos, Problem: "read YAML: " + text}
}

// yamlBuilder turns the nodes of one YAML document into a tree.
type yamlBuilder struct {
	doc  *document
	done map[*yaml.Node]*node
	// extents are the parts of the text from each scalar to the next, where
	// something was filled into the text.
	extents map[*yaml.Node]extent
	faults  Faults
}

// extent is a part of a text, from start up to end.
type extent struct{ start, end int }

// measure finds the extents of all scalars.
func (b *yamlBuilder) measure(root *yaml.Node) {
	if b.doc.spans == nil {
		return
	}
	scalars := appendScalars(nil, root)
	b.extents = make(map[*yaml.Node]extent, len(scalars))
	at := textCursor{doc: b.doc}
	for i, s := range scalars {
		start := at.offset(s.Line, s.Column)
		b.extents[s] = extent{start, len(b.doc.text)}
		if i > 0 {
			last := scalars[i-1]
			b.extents[last] = extent{b.extents[last].start, start}
		}
	}
}

// appendScalars appends the scalars below y, in the order of the text.
func appendScalars(scalars []*yaml.Node, y *yaml.Node) []*yaml.Node {
	if y.Kind == yaml.ScalarNode {
		scalars = append(scalars, y)
	}
	for _, c := range y.Content {
		scalars = appendScalars(scalars, c)
	}
	return scalars
}

// textCursor finds offsets from lines and columns. It walks on from the place it
// was last asked for, so that long lines stay cheap.
type textCursor struct {
	doc                 *document
	line, column, place int
}

// offset returns the offset of a line and a column, both from 1, as the YAML
// parser counts: columns are characters.
func (c *textCursor) offset(line, column int) int {
	line = min(max(line, 1), len(c.doc.lines))
	if line != c.line || column < c.column {
		c.line, c.column, c.place = line, 1, c.doc.lines[line-1]
	}
	for ; c.column < column && c.place < len(c.doc.text); c.column++ {
		_, size := utf8.DecodeRune(c.doc.text[c.place:])
		c.place += size
	}
	return c.place
}

// filled reports whether something was filled into a scalar, and whether that is
// broken.
func (b *yamlBuilder) filled(y *yaml.Node) (hidden, broken bool) {
	e, ok := b.extents[y]
	if !ok {
		return false, false
	}
	return b.doc.filled(e.start, e.end)
}

func (b *yamlBuilder) position(y *yaml.Node) Position {
	line := min(max(y.Line, 1), len(b.doc.lines))
	pos := Position{File: b.doc.name, Line: y.Line, Column: y.Column}
	if b.doc.spans != nil {
		offset := b.doc.lines[line-1]
		if e, ok := b.extents[y]; ok {
			offset = e.start
		}
		pos.Line = b.doc.sourceLine(offset)
	}
	return pos
}

func (b *yamlBuilder) fault(y *yaml.Node, problem string) *node {
	pos := b.position(y)
	b.faults = append(b.faults, Fault{Position: pos, Problem: problem})
	return &node{pos: pos, broken: true}
}

// build returns the tree of a YAML node. Aliases share the tree of their anchor.
func (b *yamlBuilder) build(y *yaml.Node) *node {
	if n, ok := b.done[y]; ok {
		if n == nil {
			return b.fault(y, "an alias contains itself")
		}
		return n
	}
	b.done[y] = nil
	n := b.value(y)
	if err := n.seal(); err != nil && b.faults == nil {
		b.fault(y, err.Error())
	}
	if b.faults != nil {
		n = &node{pos: n.pos, broken: true}
	}
	b.done[y] = n
	return n
}

func (b *yamlBuilder) value(y *yaml.Node) *node {
	switch y.Kind {
	case yaml.DocumentNode:
		return b.build(y.Content[0])
	case yaml.AliasNode:
		return b.build(y.Alias)
	case yaml.SequenceNode:
		n := &node{kind: kindList, pos: b.position(y)}
		for _, c := range y.Content {
			n.items = append(n.items, b.build(c))
		}
		return n
	case yaml.MappingNode:
		return b.object(y)
	case yaml.ScalarNode:
		return b.scalar(y)
	default:
		return &node{pos: b.position(y)}
	}
}

func (b *yamlBuilder) object(y *yaml.Node) *node {
	n := &node{kind: kindObject, pos: b.position(y)}
	var merged []field
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], b.build(y.Content[i+1])
		switch {
		case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
			merged = append(merged, b.merge(key, value)...)
		case key.Kind != yaml.ScalarNode:
			b.fault(key, "got a field whose name is no string")
		default:
			hidden, _ := b.filled(key)
			n.fields = append(n.fields, field{name: key.Value, pos: b.position(key), hidden: hidden, value: value})
		}
	}
	n.fields = addMissing(n.fields, merged)
	return n
}

// merge returns the fields a "<<" key brings; of several objects the first wins.
func (b *yamlBuilder) merge(key *yaml.Node, value *node) []field {
	objects := []*node{value}
	if value.kind == kindList {
		objects = value.items
	}
	var lists [][]field
	for _, o := range objects {
		if o.kind != kindObject && !o.broken {
			b.fault(key, "got "+article(o.kind)+", want an object to merge")
			return nil
		}
		lists = append(lists, o.fields)
	}
	return addMissing(nil, lists...)
}

// addMissing appends to fields those of the others whose names are not there yet.
func addMissing(fields []field, others ...[]field) []field {
	names := make(map[string]bool, len(fields))
	for _, f := range fields {
		names[f.name] = true
	}
	for _, other := range others {
		for _, f := range other {
			if !names[f.name] {
				names[f.name] = true
				fields = append(fields, f)
			}
		}
	}
	return fields
}

func (b *yamlBuilder) scalar(y *yaml.Node) *node {
	n := &node{pos: b.position(y), text: y.Value}
	n.plain = y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	n.hidden, n.broken = b.filled(y)
	switch y.ShortTag() {
	case "!!null":
	case "!!bool":
		n.kind = kindBool
	case "!!int":
		n.kind = kindInt
	case "!!float":
		n.kind = kindFloat
	case "!!str", "!!timestamp", "!!merge":
		n.kind = kindString
	default:
		return b.fault(y, "got a value with a YAML type of its own, want a plain value")
	}
	return n
}
