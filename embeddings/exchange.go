package embeddings

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxErrorBody  = 16 << 10
	maxCode       = 40
	maxRetryAfter = time.Hour
)

// exchange is one request and its answer. It stands between the OpenAI library
// and net/http for what the library cannot do: a whole URL, any header or
// parameter as credential, a bound on the answer, vectors in either encoding, and
// errors without the server's words.
type exchange struct {
	client   *http.Client
	endpoint endpoint
	texts    []string
}

// Do sends req and returns an answer whose vectors are base64. Every error is an
// *Error.
func (e *exchange) Do(req *http.Request) (*http.Response, error) {
	e.endpoint.address(req)
	res, err := e.client.Do(req)
	if err != nil {
		return nil, transportError(req.Context(), err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, e.statusError(res)
	}
	limit := int64(answerBase + len(e.texts)*answerPerText)
	body, err := canonical(http.MaxBytesReader(nil, res.Body, limit))
	if err != nil {
		return nil, answerError(req.Context(), err)
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// answer is the part of an embeddings response that counts.
type answer struct {
	Data []struct {
		// Index is absent in the answers of some servers, which then keep the order.
		Index     *int      `json:"index"`
		Embedding rawVector `json:"embedding"`
	} `json:"data"`
}

// canonical reads a response and writes it with base64 vectors and all indexes.
func canonical(r io.Reader) ([]byte, error) {
	var a answer
	if err := json.UnmarshalRead(r, &a); err != nil {
		return nil, err
	}
	for i := range a.Data {
		if a.Data[i].Index == nil {
			a.Data[i].Index = &i
		}
	}
	return json.Marshal(a)
}

// rawVector holds little-endian float32 numbers. As bytes, it is written as
// base64.
type rawVector []byte

// UnmarshalJSONFrom reads an array of numbers or a base64 string, and nothing
// else: a null would otherwise pass for a zero.
func (v *rawVector) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '"':
		raw, err := base64.StdEncoding.DecodeString(token.String())
		if err != nil || len(raw)%4 != 0 {
			return errNotVector
		}
		*v = raw
		return nil
	case '[':
		return v.readNumbers(dec)
	default:
		return errNotVector
	}
}

func (v *rawVector) readNumbers(dec *jsontext.Decoder) error {
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		switch token.Kind() {
		case '0':
			x, err := strconv.ParseFloat(token.String(), 32)
			if err != nil {
				return errNotVector
			}
			*v = binary.LittleEndian.AppendUint32(*v, math.Float32bits(float32(x)))
		case ']':
			return nil
		default:
			return errNotVector
		}
	}
}

var errNotVector = errors.New("an embedding is not an array of finite numbers or base64 of float32")

// answerError says why a body could not be read, without quoting it.
func answerError(ctx context.Context, err error) *Error {
	var large *http.MaxBytesError
	var syntax *jsontext.SyntacticError
	switch {
	case ctx.Err() != nil || isTimeout(err):
		return transportError(ctx, err)
	case errors.As(err, &large):
		return invalid("answer is larger than %d bytes", large.Limit)
	case errors.Is(err, errNotVector):
		return &Error{Kind: KindInvalid, Err: errNotVector}
	case errors.As(err, &syntax):
		return invalid("answer is broken off or no strict JSON")
	case networkCause(err) != nil:
		return transportError(ctx, err)
	default:
		return invalid("answer is no embeddings response")
	}
}

// transportError keeps only causes whose text is known to hold nothing of the
// request or the answer: the error of an HTTP client has the URL with its query.
func transportError(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return ended(ctx.Err())
	}
	kind := KindUnavailable
	if isTimeout(err) {
		kind = KindTimeout
	}
	cause := networkCause(err)
	if cause == nil {
		cause = errors.New("connection broke or the answer is no HTTP")
	}
	return &Error{Kind: kind, Err: cause}
}

// networkCause returns the innermost part of err that speaks only of addresses,
// certificates and connections, or nil. Other parts may quote the server.
func networkCause(err error) error {
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &op):
		return op
	case errors.As(err, &cert):
		return cert
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return nil
	}
}

func (e *exchange) statusError(res *http.Response) *Error {
	var body struct {
		Error struct {
			Code any `json:"code"`
			Type any `json:"type"`
		} `json:"error"`
	}
	// A body that cannot be read leaves the status, which is what counts.
	raw, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	_ = json.Unmarshal(raw, &body)
	failure := &Error{Kind: KindStatus, Status: res.StatusCode, RetryAfter: retryAfter(res.Header, time.Now())}
	for _, field := range []any{body.Error.Code, body.Error.Type} {
		if code, ok := field.(string); ok && e.harmless(code) {
			failure.Code = code
			break
		}
	}
	return failure
}

// harmless reports whether code is a short word that comes neither from the
// credential nor from a text.
func (e *exchange) harmless(code string) bool {
	if code == "" || len(code) > maxCode || strings.ContainsFunc(code, notWord) {
		return false
	}
	for _, secret := range append(e.endpoint.secrets(), e.texts...) {
		if strings.Contains(secret, code) {
			return false
		}
	}
	return true
}

func notWord(r rune) bool {
	return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// retryAfter reads Retry-After, in seconds or as a date, and caps it at an hour.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
