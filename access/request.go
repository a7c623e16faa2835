package access

import (
	"net/http"
	"net/netip"

	"semlb/config"
)

// Request is the head of a request.
type Request struct {
	// Service and Route are those that Envoy matched, and Names what it calls them; see
	// config.Request.
	Service, Route string
	Names          []string
	// Consumer and Groups are those that a listener names which has authenticated the client.
	Consumer string
	Groups   []string
	Method   string
	// Header returns the values of a header, by its lower-case name.
	Header func(name string) []string
	// Query has the parameters, as they were sent.
	Query string
	// Client is the address that the request came from; the zero Addr is unknown.
	Client netip.Addr
	// Bodiless requests have no body.
	Bodiless bool
}

// scope is what the plugins of a consumer are chosen by.
func (r *Request) scope(consumer string, groups []string) config.Request {
	return config.Request{Service: r.Service, Route: r.Route, Names: r.Names, Consumer: consumer, ConsumerGroups: groups}
}

// first returns the first of some values, or "".
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// Verdict is what is found out of a request.
type Verdict struct {
	// Refusal answers the request; nil lets it pass.
	Refusal *Refusal
	// Consumer and Groups are who the client is: by the plugins that authenticate, else by
	// what a listener names, else by a credential that no plugin requires. An empty Consumer
	// is anonymous, or not known.
	Consumer string
	Groups   []string
	// Spent are the headers and parameters, in lower case, that had credentials of
	// consumers. No provider may get them.
	Spent []string
	// Headers are for any answer to the request, a provider's too.
	Headers []Header
	// BodyLimit is the longest body in bytes that may be served; nil without one.
	BodyLimit *int64
}

// Refusal is the answer to a request that is not served.
type Refusal struct {
	Status int
	// Code is the reason, of [Codes].
	Code string
	// Message is for the client.
	Message string
	// Headers are those of the answer.
	Headers []Header
	// Body is sent as it is, with ContentType, instead of the message; nil sends an error
	// of the OpenAI API.
	Body        []byte
	ContentType string
}

// Configured reports whether the configuration requires the answer, whatever the client
// does.
func (r *Refusal) Configured() bool { return r.Code == CodeTerminated || r.Code == CodePreflight }

// Type is the type of error in the OpenAI API.
func (r *Refusal) Type() string {
	switch {
	case r.Status == http.StatusUnauthorized:
		return "authentication_error"
	case r.Status == http.StatusForbidden:
		return "permission_error"
	case r.Status >= http.StatusInternalServerError:
		return "server_error"
	default:
		return "invalid_request_error"
	}
}
