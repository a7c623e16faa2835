package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"semlb/config"
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
func jsonFault(d *Document, err error) config.Fault {
	f := config.Fault{Position: config.Position{File: d.name}, Problem: err.Error()}
	var at *jsonError
	if errors.As(err, &at) {
		f.Position = d.position(min(at.offset, len(d.text)))
	}
	return f
}

// parseJSON returns the value of a JSON document.
func parseJSON(d *Document) (*Node, error) {
	decoder := jsontext.NewDecoder(bytes.NewReader(d.text), jsontext.AllowDuplicateNames(true))
	b := jsonBuilder{doc: d, decoder: decoder}
	root, err := b.build(0)
	if err == nil {
		if _, end := decoder.ReadToken(); !errors.Is(end, io.EOF) {
			err = fmt.Errorf("%w: text after the document", errSyntax)
		}
	}
	if err == nil {
		return root, nil
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

// jsonBuilder makes nodes of the tokens of a JSON document.
type jsonBuilder struct {
	doc     *Document
	decoder *jsontext.Decoder
}

// next returns the offset at which the next token starts.
func (b *jsonBuilder) next() int {
	offset := int(b.decoder.InputOffset())
	return offset + len(b.doc.text[offset:]) - len(bytes.TrimLeft(b.doc.text[offset:], " \t\r\n,:"))
}

// build reads one value. Its depth is bounded here, before the call stack is.
func (b *jsonBuilder) build(depth int) (*Node, error) {
	if depth > MaxHeight {
		return nil, (&Node{height: MaxHeight + 1}).Seal()
	}
	start := b.next()
	token, err := b.decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	n := &Node{Pos: b.doc.position(start)}
	switch token.Kind() {
	case 'n':
	case 't', 'f':
		n.Kind, n.Text = Bool, token.String()
	case '"':
		n.Kind, n.Text = String, token.String()
	case '0':
		n.Kind, n.Text = Int, token.String()
		if strings.ContainsAny(n.Text, ".eE") {
			n.Kind = Float
		}
	case '[':
		err = b.list(n, depth)
	case '{':
		err = b.object(n, depth)
	}
	if err != nil {
		return nil, err
	}
	if n.Kind != List && n.Kind != Object {
		n.Hidden, n.Broken = b.doc.filled(start, int(b.decoder.InputOffset()))
	}
	return n, n.Seal()
}

func (b *jsonBuilder) list(n *Node, depth int) error {
	n.Kind = List
	for b.decoder.PeekKind() != ']' {
		item, err := b.build(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	_, err := b.decoder.ReadToken()
	return err
}

func (b *jsonBuilder) object(n *Node, depth int) error {
	n.Kind = Object
	for b.decoder.PeekKind() != '}' {
		start := b.next()
		name, err := b.decoder.ReadToken()
		if err != nil {
			return err
		}
		hidden, _ := b.doc.filled(start, int(b.decoder.InputOffset()))
		f := Field{Name: name.String(), Pos: b.doc.position(start), Hidden: hidden}
		if f.Value, err = b.build(depth + 1); err != nil {
			return err
		}
		n.Fields = append(n.Fields, f)
	}
	_, err := b.decoder.ReadToken()
	return err
}
