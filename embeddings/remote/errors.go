package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"semlb/embeddings"
	"semlb/wire"
)

const (
	maxErrorBody  = 16 << 10
	maxCode       = 40
	maxRetryAfter = time.Hour
)

// transportError keeps only causes whose text is known to hold nothing of the request or
// the answer: the error of an HTTP client holds the URL with its query.
func transportError(ctx context.Context, err error) *embeddings.Error {
	if ctx.Err() != nil {
		return embeddings.Ended(ctx.Err())
	}
	kind := embeddings.KindUnavailable
	if isTimeout(err) {
		kind = embeddings.KindTimeout
	}
	cause := networkCause(err)
	if cause == nil {
		cause = errors.New("connection closed or response is not HTTP")
	}
	return &embeddings.Error{Kind: kind, Err: cause}
}

// isTimeout reports whether err is an expired deadline of any layer.
func isTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}

// networkCause returns the innermost part of err that is only about addresses,
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

// answerError says why an answer could not be read, without quoting it.
func answerError(ctx context.Context, err error) *embeddings.Error {
	var large *http.MaxBytesError
	var syntax *jsontext.SyntacticError
	switch {
	case ctx.Err() != nil || isTimeout(err):
		return transportError(ctx, err)
	case errors.As(err, &large):
		return embeddings.Invalid("answer is larger than %d bytes", large.Limit)
	case errors.Is(err, errNotVector):
		return embeddings.Invalid("%w", errNotVector)
	case errors.As(err, &syntax):
		return embeddings.Invalid("answer is broken off or not strict JSON")
	case networkCause(err) != nil:
		return transportError(ctx, err)
	default:
		return embeddings.Invalid("answer is not an embeddings response")
	}
}

// statusError is the error for an answer whose status is not 200. The code is that of
// OpenAI's error object; APIs that write errors otherwise give none.
func (c *Client) statusError(res *http.Response, texts []string) *embeddings.Error {
	var body struct {
		Error struct {
			Code any `json:"code"`
			Type any `json:"type"`
		} `json:"error"`
	}
	// The status is enough if the body cannot be read.
	raw, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	_ = json.Unmarshal(raw, &body)
	failure := &embeddings.Error{
		Kind:       embeddings.KindStatus,
		Status:     res.StatusCode,
		TooLong:    tooLong(res.StatusCode, raw, texts),
		RetryAfter: min(wire.RetryAfter(res.Header.Get("Retry-After"), wire.SentAt(res.Header.Get("Date"), time.Now())), maxRetryAfter),
	}
	for _, field := range []any{body.Error.Code, body.Error.Type} {
		if code, ok := field.(string); ok && c.isHarmless(code, texts) {
			failure.Code = code
			break
		}
	}
	return failure
}

// isHarmless reports whether code is a short word that is neither part of the credential
// nor of a text.
func (c *Client) isHarmless(code string, texts []string) bool {
	if code == "" || len(code) > maxCode || strings.ContainsFunc(code, notWord) {
		return false
	}
	quoted := func(s string) bool { return strings.Contains(s, code) }
	return !slices.ContainsFunc(c.secrets, quoted) && !slices.ContainsFunc(texts, quoted)
}

func notWord(r rune) bool {
	return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}
