package config

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// Bounds of a file. They are far above any real configuration and keep a hostile
// one from costing more than a moment.
const (
	maxFileBytes  = 4 << 20
	maxIndicators = 300_000
	maxValues     = 100_000
	maxHeight     = 64
)

// document is the text of a file, ready to be parsed.
type document struct {
	name string
	text []byte
	// lines are the offsets at which the lines of text start.
	lines []int
	// spans are the parts of text that were filled in, in order.
	spans []span
	// sourceLines are the offsets of the lines of the file itself; it is nil
	// where nothing was filled in.
	sourceLines []int
}

// span is a part of a text, from start up to end, that was filled in for the part
// of the file from sourceStart up to sourceEnd.
type span struct {
	start, end             int
	sourceStart, sourceEnd int
	// broken tells that the real value could not be had.
	broken bool
	// plain spans hold nothing of the environment. They only tell where the text
	// behind them came from.
	plain bool
}

// newDocument returns the document of a file into which nothing was filled.
func newDocument(name string, text []byte) *document {
	return &document{name: name, text: text, lines: lineStarts(text)}
}

// lineStarts returns the offset of each line. Lines end as YAML has it.
func lineStarts(text []byte) []int {
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

// lineAt returns the index of the line that holds an offset.
func lineAt(starts []int, offset int) int {
	return sort.SearchInts(starts, offset+1) - 1
}

// position returns the place of an offset of the text. The line is the file's own.
func (d *document) position(offset int) Position {
	line := lineAt(d.lines, offset)
	return Position{File: d.name, Line: d.sourceLine(offset), Column: offset - d.lines[line] + 1}
}

// sourcePosition returns the place of an offset of the file itself.
func (d *document) sourcePosition(offset int) Position {
	line := lineAt(d.sourceLines, offset)
	return Position{File: d.name, Line: line + 1, Column: offset - d.sourceLines[line] + 1}
}

// sourceLine returns the line of the file, from 1, that an offset of the text came from.
func (d *document) sourceLine(offset int) int {
	if d.sourceLines == nil {
		return lineAt(d.lines, offset) + 1
	}
	i := sort.Search(len(d.spans), func(i int) bool { return d.spans[i].start > offset }) - 1
	if i >= 0 {
		s := d.spans[i]
		offset = max(s.sourceStart, s.sourceEnd+offset-s.end)
	}
	return lineAt(d.sourceLines, offset) + 1
}

// filled reports whether any of the text from start up to end was filled in, and
// whether any of that is broken.
func (d *document) filled(start, end int) (hidden, broken bool) {
	i := sort.Search(len(d.spans), func(i int) bool { return d.spans[i].end > start })
	for ; i < len(d.spans) && d.spans[i].start < end; i++ {
		if d.spans[i].plain {
			continue
		}
		hidden = true
		broken = broken || d.spans[i].broken
	}
	return hidden, broken
}

// checkSize returns the fault of a file that is too large to be read.
func checkSize(name string, text []byte) Faults {
	pos := Position{File: name}
	if len(text) > maxFileBytes {
		return Faults{{Position: pos, Got: fmt.Sprintf("%d bytes", len(text)), Want: fmt.Sprintf("at most %d", maxFileBytes)}}
	}
	if !utf8.Valid(text) {
		return Faults{{Position: pos, Got: "text that is not UTF-8", Want: "UTF-8"}}
	}
	n := 0
	for _, c := range []byte(",[{:-?\n") {
		n += bytes.Count(text, []byte{c})
	}
	if n > maxIndicators {
		return Faults{{Position: pos, Problem: "too many values"}}
	}
	return nil
}

// parse returns the documents of the text as trees.
func (d *document) parse() ([]*node, Faults) {
	if faults := checkSize(d.name, d.text); faults != nil {
		return nil, faults
	}
	text := bytes.TrimLeft(d.text, " \t\r\n")
	if len(text) == 0 || text[0] != '{' && !strings.HasSuffix(d.name, ".json") {
		return parseYAML(d)
	}
	tree, err := parseJSON(d)
	if err == nil {
		return []*node{tree}, nil
	}
	// A brace may also start YAML; a file that is neither is more likely JSON.
	if errors.Is(err, errSyntax) {
		if trees, faults := parseYAML(d); faults == nil {
			return trees, nil
		}
	}
	return nil, Faults{jsonFault(d, err)}
}

// seal sets what follows from a node's children, and returns an error where the
// node is beyond the bounds.
func (n *node) seal() error {
	n.size = 1
	add := func(child *node) {
		n.size = min(n.size+child.size, maxValues+1)
		n.height = max(n.height, child.height+1)
	}
	for _, item := range n.items {
		add(item)
	}
	for _, f := range n.fields {
		add(f.value)
	}
	switch {
	case n.size > maxValues:
		return fmt.Errorf("got more than %d values, aliases counted as often as they are used", maxValues)
	case n.height > maxHeight:
		return fmt.Errorf("got values nested deeper than %d levels", maxHeight)
	}
	return nil
}
