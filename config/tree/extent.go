package tree

import (
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// extent is a part of a text, from start up to end.
type extent struct{ start, end int }

// extentsOf returns the part of the text from each scalar below a YAML node to the next:
// the parser says where a scalar starts, not where it ends. It is nil where nothing was
// filled into the text.
func extentsOf(d *Document, root *yaml.Node) map[*yaml.Node]extent {
	if d.spans == nil {
		return nil
	}
	scalars := appendScalars(nil, root)
	extents := make(map[*yaml.Node]extent, len(scalars))
	text := offsets{doc: d}
	for i, s := range scalars {
		start := text.of(s.Line, s.Column)
		extents[s] = extent{start, len(d.text)}
		if i > 0 {
			last := scalars[i-1]
			extents[last] = extent{extents[last].start, start}
		}
	}
	return extents
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

// offsets turns lines and columns into offsets. It continues from where the last call
// ended, so that many columns of one long line take linear time.
type offsets struct {
	doc                  *Document
	line, column, offset int
}

// of returns the offset of a line and a column, both from 1, as the YAML parser counts:
// columns are characters.
func (o *offsets) of(line, column int) int {
	line = min(max(line, 1), len(o.doc.lines))
	if line != o.line || column < o.column {
		o.line, o.column, o.offset = line, 1, o.doc.lines[line-1]
	}
	for ; o.column < column && o.offset < len(o.doc.text); o.column++ {
		_, size := utf8.DecodeRune(o.doc.text[o.offset:])
		o.offset += size
	}
	return o.offset
}
