package provider

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The limits of what is carried from a request's first attempt to its others.
const (
	// MaxOriginals is how long the text of [EncodeOriginals] may be, in bytes. It
	// travels as a header.
	MaxOriginals = 4096
	// MaxScalar is how long one value in it may be, as JSON, in bytes.
	MaxScalar = 512
)

// originalsVersion starts every text of EncodeOriginals, so that a replica of
// another version refuses it rather than misreads it.
const originalsVersion = 1

// Field is a top-level member of the body that a target may set or remove.
type Field struct {
	Name string
	// Credential tells that the member is one of the instance's credentials. The
	// client's value of it is never carried: it may be a secret, and every target
	// either sets the member or removes it.
	Credential bool
}

// Touched is all that the targets of a plan may change in a request.
type Touched struct {
	fields []Field
	params []string // query parameters that are credentials
}

// TouchedBy gathers what targets may change. It depends on nothing of a request,
// so it can be kept with a configuration.
func TouchedBy(targets ...*Target) Touched {
	var t Touched
	for _, target := range targets {
		t.fields = append(t.fields, target.Fields()...)
		t.params = append(t.params, target.auth.places.QueryParams...)
	}
	// Credentials sort first, so that of two fields of one name theirs is kept.
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
	t.fields = slices.CompactFunc(t.fields, func(a, b Field) bool { return a.Name == b.Name })
	slices.Sort(t.params)
	t.params = slices.Compact(t.params)
	return t
}

// EncodeOriginals writes down what [ReadAttempt] needs to undo any rewrite by the
// targets of touched: the client's values of the fields they may set, and its
// query string without credentials. The text is base64url and holds no secret.
//
// It is a [*RequestError] if a touched field is an array, an object or longer
// than [MaxScalar], or if the text becomes longer than [MaxOriginals].
func EncodeOriginals(req *Request, touched Touched, query string) (string, error) {
	b := make([]byte, 0, 256)
	b = append(b, originalsVersion)
	b = appendString(b, keepQuery(query, touched.params))
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

// carried is the client's value of a field as it is carried: empty if absent.
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

// ReadAttempt reads the body of a request as any target of a plan has rewritten
// it, and brings back the client's request with the text [EncodeOriginals] made
// from it. It returns that request and the client's query string.
//
// A rewrite of the result means the same as the same target's rewrite of the
// client's own body. It is the same byte for byte as long as the rewrite undone
// removed no member; one that it did remove comes back at the end.
//
// An error is a fault of what travelled between the attempts, not the client's.
func ReadAttempt(body []byte, originals string) (*Request, string, error) {
	req, err := readBody(body, MaxMembers+attemptMembers)
	if err != nil {
		return nil, "", fmt.Errorf("read body of attempt: %w", attemptError(err))
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
		return nil, "", fmt.Errorf("restore request: %w", attemptError(err))
	}
	return req, query, nil
}

// attemptError makes a RequestError one of ours: the client's request was found
// good before its first attempt.
func attemptError(err error) error {
	var fault *RequestError
	if errors.As(err, &fault) {
		return &RequestError{Status: http.StatusInternalServerError, Code: fault.Code, Message: fault.Message}
	}
	return err
}

// restore makes the client's value of a member count; nil means it sent none.
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

// cutString cuts a length-prefixed string off b; an empty one is nil.
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
