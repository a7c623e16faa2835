package access

import "net/http"

// finder returns the consumer of a request by a credential of one kind, or a refusal: with
// [CodeNoCredential] if the request has none.
type finder func(*Request, *visit) (consumer string, _ *Refusal)

// authentication is a plugin that authenticates.
type authentication struct {
	find finder
	// anonymous is the consumer of requests that fail; empty refuses them.
	anonymous string
	// preflight is whether preflights need a credential.
	preflight bool
}

// check finds the consumer. Several plugins must all succeed, unless they permit an
// anonymous consumer: then one of them is enough, and none is too.
func (a authentication) check(r *Request, v *visit) *Refusal {
	if !a.preflight && r.Method == http.MethodOptions {
		return nil
	}
	if a.anonymous != "" && v.credential {
		return nil
	}
	consumer, refusal := a.find(r, v)
	switch {
	case refusal == nil:
		v.Consumer, v.credential = consumer, true
	case a.anonymous == "":
		return refusal
	default:
		v.Consumer = a.anonymous
	}
	return nil
}

// optional identifies clients to whom no plugin that authenticates applies. A request
// without a credential is anonymous; one that it has must be valid.
type optional []finder

// newOptional looks for credentials of the kinds that consumers have, where Kong's plugins
// look for them by default.
func newOptional(known *credentials) optional {
	var all optional
	if len(known.keys) > 0 {
		all = append(all, newKeyAuth(defaultKeyAuth, known).find)
	}
	if len(known.users) > 0 {
		all = append(all, newBasicAuth(defaultBasicAuth, known).find)
	}
	if len(known.secrets) > 0 {
		all = append(all, newOptionalTokens(known).find)
	}
	return all
}

// check finds the consumer by the first of a request's credentials.
func (o optional) check(r *Request, v *visit) *Refusal {
	for _, find := range o {
		consumer, refusal := find(r, v)
		switch {
		case refusal == nil && !v.credential:
			v.Consumer, v.credential = consumer, true
		case refusal != nil && refusal.Code != CodeNoCredential:
			return refusal
		}
	}
	return nil
}

// unauthorized is Kong's answer to a request without a valid credential.
func unauthorized(code, message, challenge string) *Refusal {
	refusal := &Refusal{Status: http.StatusUnauthorized, Code: code, Message: message}
	if challenge != "" {
		refusal.Headers = []Header{{"www-authenticate", challenge}}
	}
	return refusal
}

// withRealm adds a realm to a challenge, if there is one.
func withRealm(scheme, realm string) string {
	if realm == "" {
		return scheme
	}
	return scheme + ` realm="` + realm + `"`
}
