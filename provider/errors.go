package provider

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"semlb/wire"
)

// The codes of a [RequestError], as they stand in the "code" of its JSON.
const (
	// CodeInvalidJSON is for a body that is not exactly one JSON object in valid UTF-8.
	CodeInvalidJSON = "invalid_json"
	// CodeAmbiguousJSON is for a body that JSON parsers read differently.
	CodeAmbiguousJSON = "ambiguous_json"
	// CodeTooComplex is for a body beyond the limits of [ReadRequest].
	CodeTooComplex = "request_too_complex"
	// CodeInvalidRequest is for JSON that is not an LLM request, or that lacks
	// something the target needs.
	CodeInvalidRequest = "invalid_request"
	// CodeContentType is for a content type that is not JSON.
	CodeContentType = "unsupported_content_type"
	// CodeRouteType is for a request whose shape does not fit the route type.
	CodeRouteType = "route_type_mismatch"
	// CodeStreaming is for a streaming request where streaming is denied.
	CodeStreaming = "streaming_not_enabled"
)

// Codes lists every code of a RequestError of this package.
func Codes() []string {
	return []string{
		CodeInvalidJSON, CodeAmbiguousJSON, CodeTooComplex, CodeInvalidRequest, CodeContentType, CodeRouteType, CodeStreaming,
	}
}

// RequestError is a fault of the client's request. The answer has Status and the
// body that JSON returns. It never holds a prompt or a credential.
type RequestError struct {
	Status  int    // HTTP status
	Code    string // one of Codes, or one of the package that made the error
	Message string // for the client
}

// Error returns the code and the message.
func (e *RequestError) Error() string { return e.Code + ": " + e.Message }

// JSON returns the error as the OpenAI API writes it.
func (e *RequestError) JSON() []byte {
	return wire.ErrorBody(e.Message, "invalid_request_error", e.Code)
}

// badRequest returns a RequestError of status 400.
func badRequest(code, message string) *RequestError {
	return &RequestError{Status: http.StatusBadRequest, Code: code, Message: message}
}

// ambiguous refuses a key that parsers may read differently.
func ambiguous(key string) *RequestError {
	return badRequest(CodeAmbiguousJSON,
		"request body has the key "+strconv.Quote(key)+" more than once, escaped or in another letter case")
}

// appendQuote appends s as a JSON string, with U+FFFD for what is not UTF-8.
func appendQuote(b []byte, s string) []byte {
	b, err := jsontext.AppendQuote(b, s)
	_ = err // only reports invalid UTF-8, which is replaced by then
	return b
}
