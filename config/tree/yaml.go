package tree

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"semlb/config"
)

// parseYAML returns the values of a YAML stream, one for each document that is not
// empty.
func parseYAML(d *Document) ([]*Node, config.Faults) {
	var roots []*Node
	decoder := yaml.NewDecoder(bytes.NewReader(d.text))
	for {
		var y yaml.Node
		err := decoder.Decode(&y)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return nil, config.Faults{yamlFault(d, err)}
		}
		b := yamlBuilder{doc: d, done: map[*yaml.Node]*Node{}, extents: extentsOf(d, &y)}
		root := b.build(&y)
		if b.faults != nil {
			return nil, b.faults
		}
		if root.Kind != Null {
			roots = append(roots, root)
		}
	}
}

// lineError is an error of the YAML parser that names its line.
var lineError = regexp.MustCompile(`^line (\d+): (.*)$`)

// yamlFault turns an error of the YAML parser into a fault. The names that the parser
// quotes may be anything, so they are left out.
func yamlFault(d *Document, err error) config.Fault {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	pos := config.Position{File: d.name}
	if m := lineError.FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[1])
		line = min(max(line, 1), len(d.lines))
		pos.Line = d.sourceLine(d.lines[line-1])
		text = m[2]
	}
	if strings.Contains(text, "anchor") {
		text = "unknown anchor"
	}
	return config.Fault{Position: pos, Problem: "read YAML: " + text}
}

// yamlBuilder makes nodes of those of one YAML document.
type yamlBuilder struct {
	doc  *Document
	done map[*yaml.Node]*Node
	// extents are those of all scalars; nil where nothing was filled into the text.
	extents map[*yaml.Node]extent
	faults  config.Faults
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

func (b *yamlBuilder) position(y *yaml.Node) config.Position {
	line := min(max(y.Line, 1), len(b.doc.lines))
	pos := config.Position{File: b.doc.name, Line: y.Line, Column: y.Column}
	if b.doc.spans != nil {
		offset := b.doc.lines[line-1]
		if e, ok := b.extents[y]; ok {
			offset = e.start
		}
		pos.Line = b.doc.sourceLine(offset)
	}
	return pos
}

func (b *yamlBuilder) fault(y *yaml.Node, problem string) *Node {
	pos := b.position(y)
	b.faults = append(b.faults, config.Fault{Position: pos, Problem: problem})
	return &Node{Pos: pos, Broken: true}
}

// build returns the tree of a YAML node. Aliases share the tree of their anchor.
func (b *yamlBuilder) build(y *yaml.Node) *Node {
	if n, ok := b.done[y]; ok {
		if n == nil {
			return b.fault(y, "an alias contains itself")
		}
		return n
	}
	b.done[y] = nil
	n := b.value(y)
	if err := n.Seal(); err != nil && b.faults == nil {
		b.fault(y, err.Error())
	}
	if b.faults != nil {
		n = &Node{Pos: n.Pos, Broken: true}
	}
	b.done[y] = n
	return n
}

func (b *yamlBuilder) value(y *yaml.Node) *Node {
	switch y.Kind {
	case yaml.DocumentNode:
		return b.build(y.Content[0])
	case yaml.AliasNode:
		return b.build(y.Alias)
	case yaml.SequenceNode:
		n := &Node{Kind: List, Pos: b.position(y)}
		for _, c := range y.Content {
			n.Items = append(n.Items, b.build(c))
		}
		return n
	case yaml.MappingNode:
		return b.object(y)
	case yaml.ScalarNode:
		return b.scalar(y)
	default:
		return &Node{Pos: b.position(y)}
	}
}

func (b *yamlBuilder) object(y *yaml.Node) *Node {
	n := &Node{Kind: Object, Pos: b.position(y)}
	var merged []Field
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], b.build(y.Content[i+1])
		switch {
		case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
			merged = append(merged, b.merge(key, value)...)
		case key.Kind != yaml.ScalarNode:
			b.fault(key, "got a field whose name is not a string")
		default:
			hidden, _ := b.filled(key)
			n.Fields = append(n.Fields, Field{Name: key.Value, Pos: b.position(key), Hidden: hidden, Value: value})
		}
	}
	n.Fields = addMissing(n.Fields, merged)
	return n
}

// merge returns the fields that a "<<" key brings; of several objects the first wins.
func (b *yamlBuilder) merge(key *yaml.Node, value *Node) []Field {
	objects := []*Node{value}
	if value.Kind == List {
		objects = value.Items
	}
	var lists [][]Field
	for _, o := range objects {
		if o.Kind != Object && !o.Broken {
			b.fault(key, "got "+o.Kind.Article()+", want an object to merge")
			return nil
		}
		lists = append(lists, o.Fields)
	}
	return addMissing(nil, lists...)
}

// addMissing appends to fields those of the others whose names are not there yet.
func addMissing(fields []Field, others ...[]Field) []Field {
	names := make(map[string]bool, len(fields))
	for _, f := range fields {
		names[f.Name] = true
	}
	for _, other := range others {
		for _, f := range other {
			if !names[f.Name] {
				names[f.Name] = true
				fields = append(fields, f)
			}
		}
	}
	return fields
}

// quotedStyles are the styles of scalars that are strings whatever they look like.
const quotedStyles = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

func (b *yamlBuilder) scalar(y *yaml.Node) *Node {
	n := &Node{Pos: b.position(y), Text: y.Value, Plain: y.Style&quotedStyles == 0}
	n.Hidden, n.Broken = b.filled(y)
	switch y.ShortTag() {
	case "!!null":
	case "!!bool":
		n.Kind = Bool
	case "!!int":
		n.Kind = Int
	case "!!float":
		n.Kind = Float
	case "!!str", "!!timestamp", "!!merge":
		n.Kind = String
	default:
		return b.fault(y, "got a value with a custom YAML tag, want a plain value")
	}
	return n
}
