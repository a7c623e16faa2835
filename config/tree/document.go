package tree

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"semlb/config"
)

// Bounds of a file. They are far above any real configuration, and keep a hostile one
// from costing more than a moment.
const (
	// MaxBytes is the largest size of a file.
	MaxBytes = 4 << 20
	// MaxValues is the largest number of values in a file, aliases counted as often as
	// they are used.
	MaxValues = 100_000
	// MaxHeight is the deepest that values nest.
	MaxHeight = 64
	// maxIndicators bounds the characters that separate values, which are counted
	// before a parser is called.
	maxIndicators = 300_000
)

// Document is the text of a file. Some of it may have been filled in for other text of
// the file; positions are those of the file all the same.
type Document struct {
	name string
	text []byte
	// lines are the offsets at which the lines of text start.
	lines []int
	// spans are the parts of text that were filled in, in order.
	spans []Span
	// sourceLines are the offsets of the lines of the file itself; nil where nothing
	// was filled in.
	sourceLines []int
}

// Span is a part of a text, from Start up to End, that was filled in for the part of the
// file from SourceStart up to SourceEnd. All are offsets in bytes.
type Span struct {
	Start, End             int
	SourceStart, SourceEnd int
	// Broken is set where the real value could not be found.
	Broken bool
	// Plain spans hold nothing of the environment. They only map positions.
	Plain bool
}

// NewDocument returns the document of a file into which nothing was filled.
func NewDocument(name string, text []byte) *Document {
	return &Document{name: name, text: text, lines: LineStarts(text)}
}

// NewFilled returns the document of a text that was made from a file by filling in spans,
// which are in order. lines are the offsets of the file's own lines, as [LineStarts]
// returns them.
func NewFilled(name string, lines []int, text []byte, spans []Span) *Document {
	return &Document{name: name, text: text, lines: LineStarts(text), spans: spans, sourceLines: lines}
}

// LineStarts returns the offset of each line of a text. Lines end as YAML defines it.
func LineStarts(text []byte) []int {
	starts := []int{0}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n',
			c == '\r' && !bytes.HasPrefix(text[i+1:], []byte{'\n'}):
			starts = append(starts, i+1)
		case c == 0xC2 && bytes.HasPrefix(text[i:], []byte("\u0085")):
			starts = append(starts, i+2)
		case c == 0xE2 && (bytes.HasPrefix(text[i:], []byte("\u2028")) || bytes.HasPrefix(text[i:], []byte("\u2029"))):
			starts = append(starts, i+3)
		}
	}
	return starts
}

// LineAt returns the index of the line that holds an offset.
func LineAt(starts []int, offset int) int {
	return sort.SearchInts(starts, offset+1) - 1
}

// position returns the position of an offset of the text. Its line is the file's own.
func (d *Document) position(offset int) config.Position {
	line := LineAt(d.lines, offset)
	return config.Position{File: d.name, Line: d.sourceLine(offset), Column: offset - d.lines[line] + 1}
}

// sourceLine returns the line of the file, from 1, that an offset of the text came from.
func (d *Document) sourceLine(offset int) int {
	if d.sourceLines == nil {
		return LineAt(d.lines, offset) + 1
	}
	i := sort.Search(len(d.spans), func(i int) bool { return d.spans[i].Start > offset }) - 1
	if i >= 0 {
		s := d.spans[i]
		offset = max(s.SourceStart, s.SourceEnd+offset-s.End)
	}
	return LineAt(d.sourceLines, offset) + 1
}

// filled reports whether any of the text from start up to end was filled in, and whether
// any of that is broken.
func (d *Document) filled(start, end int) (hidden, broken bool) {
	i := sort.Search(len(d.spans), func(i int) bool { return d.spans[i].End > start })
	for ; i < len(d.spans) && d.spans[i].Start < end; i++ {
		if d.spans[i].Plain {
			continue
		}
		hidden = true
		broken = broken || d.spans[i].Broken
	}
	return hidden, broken
}

// String returns the whole text as a string at a position.
func (d *Document) String(pos config.Position) *Node {
	n := &Node{Kind: String, Pos: pos, Text: string(d.text)}
	n.Hidden, n.Broken = d.filled(0, len(d.text))
	return n
}

// PositionAt returns the position of an offset in a text whose lines start at offsets.
func PositionAt(name string, lines []int, offset int) config.Position {
	line := LineAt(lines, offset)
	return config.Position{File: name, Line: line + 1, Column: offset - lines[line] + 1}
}

// CheckSize returns the fault of a file that is too large to be read.
func CheckSize(name string, text []byte) config.Faults {
	pos := config.Position{File: name}
	if len(text) > MaxBytes {
		return config.Faults{{Position: pos, Got: fmt.Sprintf("%d bytes", len(text)), Want: fmt.Sprintf("at most %d", MaxBytes)}}
	}
	if !utf8.Valid(text) {
		return config.Faults{{Position: pos, Got: "text that is not UTF-8", Want: "UTF-8"}}
	}
	n := 0
	for _, c := range []byte(",[{:-?\n") {
		n += bytes.Count(text, []byte{c})
	}
	if n > maxIndicators {
		return config.Faults{{Position: pos, Problem: "too many values"}}
	}
	return nil
}

// Parse returns the values of the text: that of a JSON document, or one for each YAML
// document that is not empty.
func (d *Document) Parse() ([]*Node, config.Faults) {
	if faults := CheckSize(d.name, d.text); faults != nil {
		return nil, faults
	}
	text := bytes.TrimLeft(d.text, " \t\r\n")
	if len(text) == 0 || text[0] != '{' && !strings.HasSuffix(d.name, ".json") {
		return parseYAML(d)
	}
	root, err := parseJSON(d)
	if err == nil {
		return []*Node{root}, nil
	}
	// A brace may also start YAML; a file that is neither is more likely JSON.
	if errors.Is(err, errSyntax) {
		if roots, faults := parseYAML(d); faults == nil {
			return roots, nil
		}
	}
	return nil, config.Faults{jsonFault(d, err)}
}

// ParseJSON returns the value of the text, which is JSON.
func (d *Document) ParseJSON() (*Node, config.Faults) {
	root, err := parseJSON(d)
	if err != nil {
		return nil, config.Faults{jsonFault(d, err)}
	}
	return root, nil
}

// Seal notes the size of a tree whose children are sealed, and returns an error where
// the tree is beyond the bounds.
func (n *Node) Seal() error {
	n.size = 1
	add := func(child *Node) {
		n.size = min(n.size+child.size, MaxValues+1)
		n.height = max(n.height, child.height+1)
	}
	for _, item := range n.Items {
		add(item)
	}
	for _, f := range n.Fields {
		add(f.Value)
	}
	switch {
	case n.size > MaxValues:
		return fmt.Errorf("got more than %d values, aliases counted as often as they are used", MaxValues)
	case n.height > MaxHeight:
		return fmt.Errorf("got values nested deeper than %d levels", MaxHeight)
	}
	return nil
}
