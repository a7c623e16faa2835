package envoy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// outerReplies puts what Envoy itself answers to clients into the shape that
// OpenAI's clients show. Envoy takes the first mapper that matches.
func outerReplies() *hcmv3.LocalReplyConfig {
	c := &hcmv3.LocalReplyConfig{}
	for _, f := range append(refusals(), failures()...) {
		c.Mappers = append(c.Mappers, mapper(f, f.filter(), ""))
	}
	c.Mappers = append(c.Mappers, mutationRefused(""))
	for _, r := range byStatus() {
		c.Mappers = append(c.Mappers, mapper(r.failure, envoysOwn(r.condition()), ""))
	}
	return c
}

// refusals are what the filters of the outer hop answer.
func refusals() []failure {
	return []failure{
		routerUnavailable(),
		{details: "request_payload_too_large", status: 413, message: "The request body is too large.", code: "request_too_large", kind: "invalid_request_error"},
		{details: "jwt_authn_access_denied", status: 401, message: "The token is not valid.", code: "invalid_credential", kind: "authentication_error"},
		{details: "basic_auth", status: 401, message: "The user name or the password is wrong.", code: "invalid_credential", kind: "authentication_error"},
		{details: "api_key", status: 401, message: "The API key is not valid.", code: "invalid_credential", kind: "authentication_error"},
		{details: "upgrade_failed", status: 403, message: "Upgrades of the connection, such as to WebSocket, are not supported.", code: "upgrade_not_supported", kind: "invalid_request_error"},
	}
}

// reply is an answer of Envoy's connection manager or codec, known by its status:
// the details say many things, and differ between versions.
type reply struct {
	from, to int // statuses, both included
	failure
}

// condition is the same as [reply.matches], in CEL.
func (r reply) condition() string {
	if r.from == r.to {
		return fmt.Sprintf("response.code == %d", r.from)
	}
	return fmt.Sprintf("response.code >= %d && response.code <= %d", r.from, r.to)
}

func (r reply) matches(status int) bool { return status >= r.from && status <= r.to }

// byStatus are all that is left: the last two take whatever has no row of its own,
// and keep Envoy's status.
func byStatus() []reply {
	const wrong = "invalid_request_error"
	return []reply{
		{400, 400, failure{message: "The request is not valid HTTP.", code: "bad_request", kind: wrong}},
		{404, 404, failure{message: "No route matches this request.", code: codeNoRoute, kind: wrong}},
		{408, 408, failure{message: "The request did not arrive in time.", code: "request_timeout", kind: wrong}},
		{426, 426, failure{message: "HTTP/1.0 is not supported.", code: "http_version_not_supported", kind: wrong}},
		{431, 431, failure{message: "The request's headers are too many or too long.", code: "headers_too_large", kind: wrong}},
		{0, 499, failure{message: "Envoy refused the request.", code: "request_refused", kind: wrong}},
		{500, 599, failure{message: "Envoy could not handle the request.", code: "gateway_error", kind: "server_error"}},
	}
}

// OwnAnswers are the codes of what Envoy answers itself to requests that do not come to
// an attempt; see [Finished].Answer.
func OwnAnswers() []string {
	codes := []string{mutationFailure().code, codeHTTPSRequired, codeClientGone}
	for _, f := range append(refusals(), failures()...) {
		codes = append(codes, f.code)
	}
	for _, r := range byStatus() {
		codes = append(codes, r.code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// ownAnswer is the code in the body that [outerReplies] gave an answer, found in the
// same order; "" for an answer of the external processor.
func ownAnswer(flags []string, details string, status int) string {
	switch {
	case strings.HasPrefix(details, ownDetails):
		return ""
	case hasFlag(flags, "DC", "DR"):
		return codeClientGone
	case details == directResponse && status == http.StatusNotFound:
		return codeNoRoute
	case details == directResponse:
		return codeHTTPSRequired
	}
	for _, f := range append(refusals(), failures()...) {
		if f.matches(flags, details) {
			return f.code
		}
	}
	if status == http.StatusInternalServerError {
		return mutationFailure().code
	}
	for _, r := range byStatus() {
		if r.matches(status) {
			return r.code
		}
	}
	return ""
}
