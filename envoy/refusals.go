package envoy

import hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

// outerReplies puts what Envoy itself answers to clients into the shape that
// OpenAI's clients show. Envoy takes the first mapper that matches.
func outerReplies() *hcmv3.LocalReplyConfig {
	c := &hcmv3.LocalReplyConfig{}
	for _, f := range append(refusals(), failures()...) {
		c.Mappers = append(c.Mappers, mapper(f, f.filter(), ""))
	}
	c.Mappers = append(c.Mappers, mutationRefused(""))
	for _, r := range byStatus() {
		c.Mappers = append(c.Mappers, mapper(r.failure, envoysOwn(r.condition), ""))
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
	condition string // in CEL
	failure
}

// byStatus are all that is left: the last two take whatever has no row of its own,
// and keep Envoy's status.
func byStatus() []reply {
	const wrong = "invalid_request_error"
	return []reply{
		{"response.code == 400", failure{message: "The request is not valid HTTP.", code: "bad_request", kind: wrong}},
		{"response.code == 404", failure{message: "No route matches this request.", code: "no_route", kind: wrong}},
		{"response.code == 408", failure{message: "The request did not arrive in time.", code: "request_timeout", kind: wrong}},
		{"response.code == 426", failure{message: "HTTP/1.0 is not supported.", code: "http_version_not_supported", kind: wrong}},
		{"response.code == 431", failure{message: "The request's headers are too many or too long.", code: "headers_too_large", kind: wrong}},
		{"response.code < 500", failure{message: "Envoy refused the request.", code: "request_refused", kind: wrong}},
		{"response.code >= 500", failure{message: "Envoy could not handle the request.", code: "gateway_error", kind: "server_error"}},
	}
}
