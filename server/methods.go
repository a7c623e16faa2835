package server

import (
	"net/http"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/record"
	"semlb/wire"
)

// methods are those that a request may have for its path. Only POST goes to a provider: it
// would get any other with our key, and may show a TRACE with all its headers to the client.
// Names of methods are case-sensitive (RFC 9110, section 9.1). Preflights are answered before.
func (x *exchange) methods() []string {
	if _, models := x.namesModels(); models {
		return methodsOfModels
	}
	return methodsOfChats
}

var (
	methodsOfChats  = []string{http.MethodPost}
	methodsOfModels = []string{http.MethodPost, http.MethodGet, http.MethodHead} // a path of chats may have models in it
)

// notAllowed answers a request with another method.
func (p *planner) notAllowed(x *exchange, allowed []string) *extprocv3.ProcessingResponse {
	allow := strings.Join(allowed, ", ")
	body := wire.ErrorBody("This path does not take the request's method; it takes "+allow+".", "invalid_request_error", codeMethod)
	response := p.answer(x, body, record.Answered{Status: http.StatusMethodNotAllowed, Code: codeMethod, Cause: record.ByClient})
	envoy.SetHeader(response, "allow", allow)
	return response
}
