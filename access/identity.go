package access

import (
	"crypto/sha256"
	"net/http"

	"semlb/config"
)

// digest stands for a credential: comparing digests takes the same time however much of a
// credential is right.
type digest [sha256.Size]byte

func digestOf(text string) digest { return sha256.Sum256([]byte(text)) }

// authentication is what plugins that authenticate have in common.
type authentication struct {
	// anonymous is the consumer of requests that fail; empty refuses them.
	anonymous string
	// preflight is whether preflights need a credential.
	preflight bool
	// find returns the consumer of a request, or the refusal.
	find func(*Request, *visit) (string, *Refusal)
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
		v.consumer, v.credential = consumer, true
	case a.anonymous == "":
		return refusal
	default:
		v.consumer = a.anonymous
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

// each calls a function with every consumer and the name that stands for it.
func each(consumers []config.Consumer, call func(name string, c *config.Consumer)) {
	for i := range consumers {
		call(consumers[i].Called(), &consumers[i])
	}
}
