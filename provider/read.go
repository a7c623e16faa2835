package provider

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// The limits of [ReadRequest], chosen by this project. They bound the work that a
// body of a given length can cause.
const (
	// MaxDepth is how deep arrays and objects may nest, the body itself included.
	MaxDepth = 64
	// MaxMembers is how many members the body itself may have.
	MaxMembers = 512
	// MaxMessages is how many messages a chat may have.
	MaxMessages = 10_000
)

// attemptMembers is what a rewrite may add to MaxMembers before [ReadAttempt].
const attemptMembers = 64

// reservedFields are the top-level members that this package and its dialects read
// or edit, and longestField is the length of the longest of these names.
var reservedFields = [...]string{
	"model", "messages", "prompt", "input", "stream", "stream_options",
	"max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k",
}

const longestField = len("max_completion_tokens")

// ReadRequest reads a client's request in one pass. Its error is a
// [*RequestError].
//
// It refuses what two parsers could read differently: a key that occurs twice in
// any object, however it is spelled; at the top level, a key this package reads or
// edits that is escaped or in another letter case (the JSON libraries of Go and
// other languages ignore case, by the rules of Unicode); invalid UTF-8, lone
// surrogates, and anything after the object. The limits are [MaxDepth],
// [MaxMembers] and [MaxMessages].
//
// The request refers to body, which must not be changed while it is used.
func ReadRequest(body []byte) (*Request, error) {
	return readBody(body, MaxMembers)
}

func readBody(body []byte, maxMembers int) (*Request, error) {
	rd := &reader{
		req:        &Request{body: body, members: make([]member, 0, 8)},
		buf:        *bytes.NewBuffer(body),
		maxMembers: maxMembers,
	}
	rd.dec.Reset(&rd.buf) // reads body in place
	if err := rd.object(); err != nil {
		return nil, err
	}
	if err := rd.req.settle(); err != nil {
		return nil, err
	}
	return rd.req, nil
}

// reader walks the tokens of one body.
type reader struct {
	req        *Request
	dec        jsontext.Decoder
	buf        bytes.Buffer
	maxMembers int
	text       []span // text of the message being read
}

// object reads the whole body.
func (rd *reader) object() error {
	switch kind := rd.dec.PeekKind(); kind {
	case '{':
	case jsontext.KindInvalid:
		return rd.fault(rd.skip())
	default:
		return badRequest(CodeInvalidJSON, "request body must be a JSON object")
	}
	if err := rd.enter(); err != nil {
		return err
	}
	rd.req.open = int(rd.dec.InputOffset())
	for rd.dec.PeekKind() != '}' {
		if err := rd.member(); err != nil {
			return err
		}
	}
	if _, err := rd.dec.ReadToken(); err != nil {
		return rd.fault(err)
	}
	if _, err := rd.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return badRequest(CodeInvalidJSON, "request body has data after its JSON object")
	}
	return nil
}

// member reads one top-level member and records where it is.
func (rd *reader) member() error {
	raw, name, err := rd.scalar()
	if err != nil {
		return err
	}
	field, err := reservedField(raw)
	if err != nil {
		return err
	}
	if len(rd.req.members) == rd.maxMembers {
		return badRequest(CodeTooComplex, "request body has more than "+strconv.Itoa(MaxMembers)+" members")
	}
	value, err := rd.field(field)
	if err != nil {
		return err
	}
	rd.req.members = append(rd.req.members, member{name: name, value: value})
	return nil
}

// field reads the value of a top-level member.
func (rd *reader) field(name string) (span, error) {
	kind := rd.dec.PeekKind()
	if kind != '[' && kind != '{' {
		_, value, err := rd.scalar()
		if err == nil && kind == '"' && name == "prompt" {
			rd.req.prompt = append(rd.req.prompt[:0], value)
		}
		return value, err
	}
	start, err := rd.containerStart()
	if err != nil {
		return span{}, err
	}
	switch {
	case kind == '[' && name == "messages":
		err = rd.messages()
	case kind == '[' && name == "prompt":
		err = rd.prompts()
	default:
		err = rd.rest()
	}
	return span{start, int(rd.dec.InputOffset())}, err
}

// scalar reads a name, or a value that is neither array nor object.
func (rd *reader) scalar() ([]byte, span, error) {
	raw, err := rd.dec.ReadValue()
	if err != nil {
		return nil, span{}, rd.fault(err)
	}
	end := int(rd.dec.InputOffset())
	return raw, span{end - len(raw), end}, nil
}

// containerStart enters an array or object and returns its offset.
func (rd *reader) containerStart() (int, error) {
	err := rd.enter()
	return int(rd.dec.InputOffset()) - 1, err
}

// enter reads one token and checks the depth it leads to.
func (rd *reader) enter() error {
	if _, err := rd.dec.ReadToken(); err != nil {
		return rd.fault(err)
	}
	if rd.dec.StackDepth() > MaxDepth {
		return badRequest(CodeTooComplex, "request body nests deeper than "+strconv.Itoa(MaxDepth)+" levels")
	}
	return nil
}

// rest reads to the end of the array or object that was just entered.
func (rd *reader) rest() error {
	for depth := rd.dec.StackDepth(); rd.dec.StackDepth() >= depth; {
		if err := rd.enter(); err != nil {
			return err
		}
	}
	return nil
}

// skip reads a value of any kind.
func (rd *reader) skip() error {
	depth := rd.dec.StackDepth()
	for {
		if err := rd.enter(); err != nil {
			return err
		}
		if rd.dec.StackDepth() <= depth {
			return nil
		}
	}
}

// fault turns a decoder's error into one for the client. The decoder's message can
// quote keys of the body, so only its offset is used.
func (rd *reader) fault(err error) error {
	var known *RequestError
	if errors.As(err, &known) {
		return known
	}
	at := rd.dec.InputOffset()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		at = syntax.ByteOffset
	}
	where := " at byte " + strconv.FormatInt(at, 10)
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return badRequest(CodeAmbiguousJSON, "request body has a key more than once in one object,"+where)
	}
	return badRequest(CodeInvalidJSON, "request body is not valid JSON,"+where)
}

// reservedField returns the reserved name that a raw key spells, or "" for any
// other key. It refuses a key that only some parsers read as one of them.
func reservedField(raw []byte) (string, error) {
	key := raw[1 : len(raw)-1]
	if len(key) > len(`\u0000`)*longestField {
		return "", nil // longer than any spelling of a reserved name
	}
	if escaped(raw) {
		key = []byte(unquote(raw))
	}
	for _, name := range reservedFields {
		if string(key) == name && len(key) == len(raw)-2 {
			return name, nil
		}
		if bytes.EqualFold(key, []byte(name)) {
			return "", ambiguous(name)
		}
	}
	return "", nil
}

// escaped reports whether a raw string holds an escape.
func escaped(raw []byte) bool { return bytes.IndexByte(raw, '\\') >= 0 }
