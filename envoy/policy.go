package envoy

import (
	"slices"
	"strconv"
	"strings"
)

// Class is a kind of failure that Envoy itself reports, as opposed to a status
// that a provider answered.
type Class string

// The classes and the response flags they stand for; see [classes].
const (
	// ClassConnect: no connection, so nothing was sent.
	ClassConnect Class = "connect"
	// ClassConnectTimeout: no connection within connect_timeout; nothing was sent.
	ClassConnectTimeout Class = "connect-timeout"
	// ClassTimeout: a silence longer than read_timeout.
	ClassTimeout Class = "timeout"
	// ClassProtocol: an answer that is not HTTP.
	ClassProtocol Class = "protocol"
	// ClassReset: the connection ended before the answer began.
	ClassReset Class = "reset"
)

// Policy says which failures of an attempt may go on to the next target.
type Policy struct {
	Classes []Class
	// Statuses of providers' answers, ascending.
	Statuses []int
}

// NewPolicy maps the values of the plugin's failover_criteria. Without
// non_idempotent a request whose sending has begun is not sent again: only
// failures to connect move on, and no status does (nginx's rule for POST).
func NewPolicy(criteria []string) Policy {
	var p Policy
	repeatable := slices.Contains(criteria, "non_idempotent")
	for _, c := range criteria {
		switch {
		case c == "error":
			p.Classes = append(p.Classes, ClassConnect)
			if repeatable {
				p.Classes = append(p.Classes, ClassReset)
			}
		case c == "timeout":
			p.Classes = append(p.Classes, ClassConnectTimeout)
			if repeatable {
				p.Classes = append(p.Classes, ClassTimeout)
			}
		case c == "invalid_header" && repeatable:
			p.Classes = append(p.Classes, ClassProtocol)
		case repeatable:
			if code, err := strconv.Atoi(strings.TrimPrefix(c, "http_")); err == nil {
				p.Statuses = append(p.Statuses, code)
			}
		}
	}
	slices.Sort(p.Statuses)
	p.Statuses = slices.Compact(p.Statuses)
	slices.Sort(p.Classes)
	p.Classes = slices.Compact(p.Classes)
	return p
}

// classList is the value of HeaderRetry. Each class is marked off on both sides,
// because Envoy looks for it as a part of the text; the list is never empty, so
// that the header is always there.
func (p Policy) classList() string {
	list := "|"
	for _, c := range p.Classes {
		list += string(c) + "|"
	}
	return list
}

// Headers are the ones that tell Envoy what to retry, for a plan of attempts
// targets. They are Envoy's own request headers, described at the router filter.
func (p Policy) Headers(attempts int) []Header {
	h := []Header{{HeaderRetry, p.classList()}}
	if attempts < 2 {
		return h
	}
	h = append(h,
		Header{"x-envoy-max-retries", strconv.Itoa(attempts - 1)},
		Header{"x-envoy-retriable-header-names", HeaderRetry},
	)
	on := "retriable-headers"
	if len(p.Statuses) > 0 {
		on += ",retriable-status-codes"
		codes := make([]string, len(p.Statuses))
		for i, c := range p.Statuses {
			codes[i] = strconv.Itoa(c)
		}
		h = append(h, Header{"x-envoy-retriable-status-codes", strings.Join(codes, ",")})
	}
	return append(h, Header{"x-envoy-retry-on", on})
}

// Header is a header of a request or a response.
type Header struct{ Name, Value string }
