package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// errSyntax is text that is not JSON.
var errSyntax = errors.New("invalid syntax")

// jsonError is what is wrong at an offset of a JSON document. It quotes nothing.
type jsonError struct {
	offset int
	err    error
}

func (e *jsonError) Error() string { return "read JSON: " + e.err.Error() }

func (e *jsonError) Unwrap() error { return e.err }

// jsonFault returns an error of parseJSON as a fault.
func jsonFault(d *document, err error) Fault {
	f := Fault{Position: Position{File: d.name}, Problem: err.Error()}
	var at *jsonError
	if errors.As(err, &at) {
		f.Position = d.position(min(at.offset, len(d.text)))
	}
	return f
}

// parseJSON returns the tree of a JSON document.
func parseJSON(d *document) (*node, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(d.text), jsontext.AllowDuplicateNames(true))
	b := jsonBuilder{doc: d, decoder: decoder}
	tree, err := b.build(0)
	if err == nil {
		if _, end := decoder.ReadToken(); !errors.Is(end, io.EOF) {
			err = fmt.Errorf("%w: text after the document", errSyntax)
		}
	}
	if err == nil {
		return tree, nil
	}
	offset := int(decoder.InputOffset())
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		offset, err = len(d.text), fmt.Errorf("%w: the text ends too early", errSyntax)
	case errors.As(err, &syntax):
		offset, err = int(syntax.ByteOffset), errSyntax
	}
	return nil, &jsonError{offset, err}
}

// jsonBuilder turns the tokens of a JSON document into a tree.
type jsonBuilder struct {
	doc     *document
	decoder *jsontext.Decoder
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
