package provider

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"semlb/wire"
)

// The limits of what travels from a request's first attempt to later ones.
const (
	// MaxOriginals is the greatest length of the text of [EncodeOriginals], in
	// bytes. It travels in a header.
	MaxOriginals = 4096
	// MaxScalar is the greatest length of one value in it, in bytes of JSON.
	MaxScalar = 512
)

// originalsVersion is the first byte of the text, so that a replica of another
// version refuses it instead of misreading it.
const originalsVersion = 1

// Field is a top-level member of the body that a target may set or remove.
type Field struct {
	Name string
	// Credential means that the member is one of the instance's credentials. The
	// client's value may be a secret and is never carried; every target either sets
	// the member or removes it.
	Credential bool
}

// Touched lists what the targets of an instance may change in a request.
type Touched struct {
	fields []Field
	params []string // query parameters that are credentials
}

// TouchedBy collects what targets may change. It is made once for a configuration.
func TouchedBy(targets ...*Target) Touched {
	var t Touched
	for _, target := range targets {
		t.fields = append(t.fields, target.Fields()...)
		t.params = append(t.params, target.auth.places.QueryParams...)
	}
	// Credentials sort first, so that CompactFunc keeps them.
	slices.SortFunc(t.fields, func(a, b Field) int {
		switch {
		case a.Name != b.Name:
			return strings.Compare(a.Name, b.Name)
		case a.Credential == b.Credential:
			return 0
		case a.Credential:
			return -1
		}
		return 1
	})
	t.fields = slices.Clone(slices.CompactFunc(t.fields, func(a, b Field) bool { return a.Name == b.Name }))
	t.params = slices.Clone(sortedSet(t.params))
	return t
}

// credential reports whether a query parameter is a credential.
func (t Touched) credential(name string) bool {
	return containsFold(t.params, name) || wire.NamesCredential(name)
}

// EncodeOriginals encodes what [ReadAttempt] needs to undo any rewrite by the
// targets of touched: the client's values of the fields they may set, and its
// query string without credentials. The text is base64url and holds no secret.
//
// It returns a [*RequestError] if a touched field is an array, an object or longer
// than [MaxScalar], or if the text would be longer than [MaxOriginals].
func EncodeOriginals(req *Request, touched Touched, query string) (string, error) {
	b := make([]byte, 0, 256)
	b = append(b, originalsVersion)
	b = appendString(b, keepQuery(query, touched.credential))
	for _, f := range touched.fields {
		raw, err := carried(req, f)
		if err != nil {
			return "", err
		}
		b = appendString(appendString(b, f.Name), raw)
	}
	if base64.RawURLEncoding.EncodedLen(len(b)) > MaxOriginals {
		return "", badRequest(CodeTooComplex, "query string and options of the request are too long")
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// carried returns the client's value of a field to encode, or nil if it is absent
// or a credential.
func carried(req *Request, f Field) ([]byte, error) {
	raw := req.raw(f.Name)
	if raw == nil || f.Credential {
		return nil, nil
	}
	if raw[0] == '{' || raw[0] == '[' || len(raw) > MaxScalar {
		return nil, badRequest(CodeInvalidRequest,
			f.Name+" must be a number, string, boolean or null of at most "+strconv.Itoa(MaxScalar)+" bytes")
	}
	return raw, nil
}

func appendString[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// ReadAttempt reads a body that some target of a plan has rewritten, and restores
// the client's request with the text of [EncodeOriginals]. It returns that request
// and the client's query string.
//
// A target rewrites the result to a body with the same members as it would the
// client's own. The bodies are equal byte for byte if the earlier rewrite removed no
// member; a removed member is restored at the end.
//
// No error is the client's fault, not even a [*RequestError]: its request passed
// [ReadRequest] before.
func ReadAttempt(body []byte, originals string) (*Request, string, error) {
	req, err := readBody(body, MaxMembers+attemptMembers)
	if err != nil {
		return nil, "", fmt.Errorf("read body of attempt: %w", err)
	}
	query, fields, err := decodeOriginals(originals)
	if err != nil {
		return nil, "", fmt.Errorf("decode originals: %w", err)
	}
	for _, e := range fields {
		req.restore(e)
	}
	req.restored = true
	if err := req.settle(); err != nil {
		return nil, "", fmt.Errorf("restore request: %w", err)
	}
	return req, query, nil
}

// restore brings back the client's value of a member; nil means it sent none.
func (r *Request) restore(e Edit) {
	for i := range r.members {
		if m := &r.members[i]; r.named(m, e.Name) {
			m.original, m.dropped = e.Raw, e.Raw == nil
			return
		}
	}
	if e.Raw != nil {
		r.missing = append(r.missing, e)
	}
}

// KnowsOriginals reports whether [ReadAttempt] can read such a text: whether it is of the
// version that [EncodeOriginals] writes. "" is no text, and nothing to read.
func KnowsOriginals(text string) bool {
	b, err := base64.RawURLEncoding.DecodeString(text[:min(len(text), 4)])
	return text == "" || err == nil && len(b) > 0 && b[0] == originalsVersion
}

func decodeOriginals(text string) (string, []Edit, error) {
	if len(text) > MaxOriginals {
		return "", nil, fmt.Errorf("got %d bytes, want at most %d", len(text), MaxOriginals)
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", nil, errors.New("not base64url")
	}
	if len(b) == 0 || b[0] != originalsVersion {
		return "", nil, errors.New("unknown version")
	}
	query, b, ok := cutString(b[1:])
	fields := make([]Edit, 0, 8)
	for ok && len(b) > 0 {
		var name, raw []byte
		if name, b, ok = cutString(b); !ok {
			break
		}
		if raw, b, ok = cutString(b); ok {
			fields = append(fields, Edit{Name: string(name), Raw: raw})
			ok = raw == nil || jsontext.Value(raw).IsValid()
		}
	}
	if !ok {
		return "", nil, errors.New("malformed")
	}
	return string(query), fields, nil
}

// cutString cuts a length-prefixed string off b; an empty string becomes nil.
func cutString(b []byte) (s, rest []byte, ok bool) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, nil, false
	}
	b = b[width:]
	if n == 0 {
		return nil, b, true
	}
	return b[:n:n], b[n:], true
}
