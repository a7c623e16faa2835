package envoy

import (
	"iter"
	"net/http"
	"slices"
	"strings"
)

// Failure is a kind of failure for which Envoy answers itself, and what it answers.
// The same table configures Envoy's local replies and classifies its log entries.
type Failure struct {
	// Class decides whether the next target is tried; "" for a request that failed
	// before its first attempt.
	Class Class
	// Flags are Envoy's response flags (%RESPONSE_FLAGS%). Any of them matches; with
	// none, flags are not compared.
	Flags []string
	// Details is a part of the response code details (%RESPONSE_CODE_DETAILS%). A
	// failure with Flags and Details matches only where both do.
	Details string
	// Status of the answer; 0 keeps Envoy's own.
	Status uint32
	// Message, Type and Code are those of the error in the body; see wire.ErrorBody.
	Message, Type, Code string
	// RetryAfter is the header of that name, in seconds; 0 for none.
	RetryAfter int
}

// Matches reports whether a response with these flags and details is this failure.
func (f Failure) Matches(flags []string, details string) bool {
	return (f.Flags == nil || hasFlag(flags, f.Flags...)) && strings.Contains(details, f.Details)
}

// Types of errors in the bodies of answers.
const (
	typeUpstream = "upstream_error"
	typeServer   = "server_error"
	typeInvalid  = "invalid_request_error"
)

// OddStatus is the status of Envoy's own answer in place of one with a status that no
// client can read, before a local reply makes an error of [ClassProtocol] of it. Such an
// answer has no response code details.
const OddStatus = 599

// Codes of answers that are made in more than one place.
const (
	// CodeNoRoute is of a request that no route matches.
	CodeNoRoute = "no_route"
	// CodeHTTPSRequired is of a request that came without TLS to a route that needs it.
	CodeHTTPSRequired = "https_required"
	// codeRequestTimeout is of a request that did not arrive in time.
	codeRequestTimeout = "request_timeout"
	// codeClientGone is of a client that disconnected before it was answered.
	codeClientGone = "client_gone"
)

// Response code details.
const (
	// OwnDetails is the prefix of the response code details of the external processor's
	// answers.
	OwnDetails = "semlb_"
	// detailsOverload is those of the overload manager's answers.
	detailsOverload = "overload"
	// NotAdmitted is the name of the policy that denies large bodies that were not admitted.
	// Details have it.
	NotAdmitted = "not_admitted"
	// DirectResponse is the response code details of a route's direct response.
	DirectResponse = "direct_response"
)

// invalidAnswer is an answer that is not valid HTTP.
var invalidAnswer = Failure{
	Class: ClassProtocol, Flags: []string{"UPE"}, Status: 502,
	Message: "The model's provider sent no valid response.", Code: "upstream_invalid_response", Type: typeUpstream,
}

// InvalidAnswer is an answer that is not valid HTTP, to which answers with [OddStatus]
// belong too.
func InvalidAnswer() Failure { return invalidAnswer }

// upstreamUnavailable is an attempt for which Envoy has no host.
var upstreamUnavailable = Failure{
	Class: ClassConnect, Flags: []string{"UH", FlagNoCluster, "NR", "UO", "DF"}, Status: 503,
	Message: "The model's provider cannot be reached at the moment.", Code: "upstream_unavailable", Type: typeUpstream,
}

// UpstreamUnavailable is an attempt for which Envoy has no host.
func UpstreamUnavailable() Failure { return upstreamUnavailable }

// FlagNoCluster is the response flag of an attempt whose cluster Envoy does not have: that is
// no failure of the provider's.
const FlagNoCluster = "NC"

// attemptFailures are the failures of an attempt. The first that matches counts, so
// the narrower of two comes first. The flags' classes were measured on Envoy 1.36 to
// 1.40; the statuses are those of ai-proxy-advanced: connections 502, timeouts 504,
// nothing to select 503.
var attemptFailures = []Failure{
	{
		Class: ClassConnectTimeout, Flags: []string{"UF"}, Details: "connection_timeout", Status: 504,
		Message: "The connection to the model's provider took too long.", Code: "upstream_connect_timeout", Type: typeUpstream,
	},
	{
		Class: ClassConnect, Flags: []string{"UF"}, Status: 502,
		Message: "The connection to the model's provider failed.", Code: "upstream_connection_failed", Type: typeUpstream,
	},
	upstreamUnavailable,
	{
		Class: ClassTimeout, Flags: []string{"UT", "SI", "DT"}, Status: 504,
		Message: "The model's provider did not answer in time.", Code: "upstream_timeout", Type: typeUpstream,
	},
	invalidAnswer,
	{
		// HTTP/2's REFUSED_STREAM: the provider did not process the request.
		Class: ClassConnect, Flags: []string{"UR"}, Details: "remote_refused_stream_reset", Status: 502,
		Message: "The model's provider refused the request.", Code: "upstream_refused", Type: typeUpstream,
	},
	{
		Class: ClassReset, Flags: []string{"UC", "UR", "LR", "URX"}, Status: 502,
		Message: "The model's provider closed the connection.", Code: "upstream_reset", Type: typeUpstream,
	},
}

// routerUnavailable is a fault of the external processor: it is down, slow, or sent
// an answer that is none.
var routerUnavailable = Failure{
	Details: "ext_proc_error", Status: 503,
	Message: "The semantic router is not available at the moment. Try again.", Code: "router_unavailable", Type: typeServer,
}

// RouterUnavailable is a fault of the external processor, in either hop.
func RouterUnavailable() Failure { return routerUnavailable }

// notAdmitted is a request with a large body for which the external processor did not answer.
// That comes before its call for the plan, which needs the body.
var notAdmitted = func() Failure {
	f := routerUnavailable
	f.Details = NotAdmitted
	return f
}()

// overloaded is the overload manager's answer to new requests while Envoy is short of
// memory. It comes before there is a route.
var overloaded = Failure{
	Details: detailsOverload, Status: 503, RetryAfter: 1,
	Message: "The gateway is short of memory. Try again.", Code: "overloaded", Type: typeServer,
}

// mutationRefused is an answer of the external processor that Envoy refused, by the
// filter's mutation rules or because a header in it is invalid. Envoy answers 500
// without a body and with varying details: only the status identifies it.
var mutationRefused = Failure{
	Status: 500, Message: "The router could not handle this request.", Code: "internal_error", Type: typeServer,
}

// MutationRefused is an answer of the external processor that Envoy refused. Only its
// status identifies it.
func MutationRefused() Failure { return mutationRefused }

// requestFailures are the failures of a request in the order in which the outer hop
// compares them: those of its filters, then those of attempts, which the outer hop
// sees where the inner one itself fails.
var requestFailures = slices.Concat([]Failure{
	routerUnavailable,
	notAdmitted,
	overloaded,
	{Details: "request_payload_too_large", Status: 413, Message: "The request body is too large.", Code: "request_too_large", Type: typeInvalid},
	{Details: "stream_idle_timeout", Status: 408, Message: "The request did not arrive in time.", Code: codeRequestTimeout, Type: typeInvalid},
	{Details: "upgrade_failed", Status: 403, Message: "Upgrades of the connection, such as to WebSocket, are not supported.", Code: "upgrade_not_supported", Type: typeInvalid},
}, attemptFailures)

// StatusFailure is an answer of Envoy's connection manager or codec. The status
// identifies it: its details are many, and differ between versions of Envoy.
type StatusFailure struct {
	// From and To are the lowest and the highest status.
	From, To int
	Failure
}

// statusFailures are compared after all others. The last two match every status that
// has no row of its own, and keep it.
var statusFailures = []StatusFailure{
	{400, 400, Failure{Message: "The request is not valid HTTP.", Code: "bad_request", Type: typeInvalid}},
	{404, 404, Failure{Message: "No route matches this request.", Code: CodeNoRoute, Type: typeInvalid}},
	{408, 408, Failure{Message: "The request did not arrive in time.", Code: codeRequestTimeout, Type: typeInvalid}},
	{426, 426, Failure{Message: "HTTP/1.0 is not supported.", Code: "http_version_not_supported", Type: typeInvalid}},
	{431, 431, Failure{Message: "The request's headers are too many or too long.", Code: "headers_too_large", Type: typeInvalid}},
	{0, 499, Failure{Message: "Envoy refused the request.", Code: "request_refused", Type: typeInvalid}},
	{500, 599, Failure{Message: "Envoy could not handle the request.", Code: "gateway_error", Type: typeServer}},
}

// AttemptFailures are the failures of an attempt, the first that matches first.
func AttemptFailures() iter.Seq[Failure] { return slices.Values(attemptFailures) }

// RequestFailures are the failures of a request, the first that matches first.
func RequestFailures() iter.Seq[Failure] { return slices.Values(requestFailures) }

// StatusFailures are what Envoy answers where no [RequestFailures] match, the first
// that matches first.
func StatusFailures() iter.Seq[StatusFailure] { return slices.Values(statusFailures) }

// ownAnswers are all codes that [ownAnswer] returns, sorted.
var ownAnswers = func() []string {
	codes := []string{mutationRefused.Code, CodeHTTPSRequired, codeClientGone}
	for _, f := range requestFailures {
		codes = append(codes, f.Code)
	}
	for _, f := range statusFailures {
		codes = append(codes, f.Code)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}()

// OwnAnswers are the codes of Envoy's own answers to requests that did not reach
// their first attempt; see [Finished].Answer.
func OwnAnswers() []string { return slices.Clone(ownAnswers) }

// ownAnswer is the code in the body of an answer of Envoy's own, found in the order
// in which the outer hop's local replies are compared; "" for an answer of the
// external processor.
func ownAnswer(flags []string, details string, status int) string {
	switch {
	case strings.HasPrefix(details, OwnDetails):
		return ""
	case hasFlag(flags, "DC", "DR"):
		return codeClientGone
	case details == DirectResponse && status == http.StatusNotFound:
		return CodeNoRoute
	case details == DirectResponse:
		return CodeHTTPSRequired
	}
	for _, f := range requestFailures {
		if f.Matches(flags, details) {
			return f.Code
		}
	}
	if status == http.StatusInternalServerError {
		return mutationRefused.Code
	}
	for _, f := range statusFailures {
		if f.From <= status && status <= f.To {
			return f.Code
		}
	}
	return ""
}

// classOf is the class of the first failure of an attempt that matches; "" for none.
func classOf(flags []string, details string) Class {
	for _, f := range attemptFailures {
		if f.Matches(flags, details) {
			return f.Class
		}
	}
	return ""
}
