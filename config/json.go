package config

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parseJSON returns the tree of a JSON document.
func parseJSON(d *document) (*node, Faults) {
	decoder := jsontext.NewDecoder(bytes.NewReader(d.text), jsontext.AllowDuplicateNames(true))
	b := jsonBuilder{doc: d, decoder: decoder}
	tree, err := b.build(0)
	if err == nil {
		if _, end := decoder.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("text after the document")
		}
	}
	if err != nil {
		return nil, Faults{b.fault(err)}
	}
	return tree, nil
}

// jsonBuilder turns the tokens of a JSON document into a tree.
type jsonBuilder struct {
	doc     *document
	decoder *jsontext.Decoder
}

// fault turns an error into a fault at the place the decoder has reached. The
// decoder's own words quote the text, so only the place is taken from them.
func (b *jsonBuilder) fault(err error) Fault {
	offset := int(b.decoder.InputOffset())
	problem := err.Error()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		offset = int(syntax.ByteOffset)
		problem = "invalid syntax"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		problem = "the text ends too early"
	}
	return Fault{Position: b.doc.position(min(offset, len(b.doc.text))), Problem: "read JSON: " + problem}
}

// next returns the offset at which the next token starts.
func (b *jsonBuilder) next() int {
	offset := int(b.decoder.InputOffset())
	return offset + len(b.doc.text[offset:]) - len(bytes.TrimLeft(b.doc.text[offset:], " \t\r\n,:"))
}

// build reads one value. Its depth is bounded before the call stack is.
func (b *jsonBuilder) build(depth int) (*node, error) {
	if depth > maxHeight {
		return nil, (&node{height: maxHeight + 1}).seal()
	}
	start := b.next()
	token, err := b.decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	n := &node{pos: b.doc.position(start)}
	switch token.Kind() {
	case 'n':
	case 't', 'f':
		n.kind, n.text = kindBool, token.String()
	case '"':
		n.kind, n.text = kindString, token.String()
	case '0':
		n.kind, n.text = kindInt, token.String()
		if strings.ContainsAny(n.text, ".eE") {
			n.kind = kindFloat
		}
	case '[':
		err = b.list(n, depth)
	case '{':
		err = b.object(n, depth)
	}
	if err != nil {
		return nil, err
	}
	if n.kind != kindList && n.kind != kindObject {
		n.hidden, n.broken = b.doc.filled(start, int(b.decoder.InputOffset()))
	}
	return n, n.seal()
}

func (b *jsonBuilder) list(n *node, depth int) error {
	n.kind = kindList
	for b.decoder.PeekKind() != ']' {
		item, err := b.build(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, err := b.decoder.ReadToken()
	return err
}

func (b *jsonBuilder) object(n *node, depth int) error {
	n.kind = kindObject
	for b.decoder.PeekKind() != '}' {
		start := b.next()
		name, err := b.decoder.ReadToken()
		if err != nil {
			return err
		}
		hidden, _ := b.doc.filled(start, int(b.decoder.InputOffset()))
		f := field{name: name.String(), pos: b.doc.position(start), hidden: hidden}
		if f.value, err = b.build(depth + 1); err != nil {
			return err
		}
		n.fields = append(n.fields, f)
	}
	_, err := b.decoder.ReadToken()
	return err
}
