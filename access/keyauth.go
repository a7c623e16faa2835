package access

import (
	"strings"

	"semlb/config"
)

// defaultKeyAuth are Kong's defaults.
var defaultKeyAuth = &config.KeyAuth{KeyNames: []string{"apikey"}, InHeader: true, InQuery: true}

// keyAuth authenticates consumers by their keys.
type keyAuth struct {
	*config.KeyAuth
	*credentials
	challenge string
}

func newKeyAuth(s *config.KeyAuth, known *credentials) keyAuth {
	return keyAuth{s, known, withRealm("Key", s.Realm)}
}

// authorization is where clients may also have a credential for a provider.
const authorization = "authorization"

// find takes the first of the names that the request has. What the others have is a key
// too, and goes to no provider either.
func (k keyAuth) find(r *Request, v *visit) (consumer string, refusal *Refusal) {
	found := false
	for _, name := range k.KeyNames {
		lower := strings.ToLower(name)
		values := k.values(r, v, name)
		if len(values) == 0 || found && lower == authorization {
			continue
		}
		v.spend(lower)
		switch {
		case found:
		case len(values) > 1:
			refusal = unauthorized(CodeInvalidCredential, "Duplicate API key found", k.challenge)
		default:
			consumer, refusal = k.consumer(lower, values[0])
		}
		found = true
	}
	if !found {
		refusal = unauthorized(CodeNoCredential, "No API key found in request", k.challenge)
	}
	return consumer, refusal
}

// values are those that a request has under a name.
func (k keyAuth) values(r *Request, v *visit, name string) []string {
	var values []string
	if k.InHeader {
		values = r.Header(strings.ToLower(name))
	}
	if len(values) == 0 && k.InQuery {
		values = v.query(r)[name]
	}
	return values
}

// consumer returns that of a key in a header or a parameter. SDKs send keys as bearer
// tokens, which Kong takes with the word in front only.
func (k keyAuth) consumer(name, key string) (string, *Refusal) {
	if key == "" {
		return "", unauthorized(CodeNoCredential, "No API key found in request", k.challenge)
	}
	if consumer, ok := k.keys[digestOf(key)]; ok {
		return consumer, nil
	}
	if token, ok := bearer(key); ok && name == authorization {
		if consumer, ok := k.keys[digestOf(token)]; ok {
			return consumer, nil
		}
	}
	return "", unauthorized(CodeInvalidCredential, "Unauthorized", k.challenge)
}

// bearer returns the token of a header's value.
func bearer(value string) (string, bool) { return cutScheme(value, "bearer") }

// cutScheme returns what follows a scheme of authentication.
func cutScheme(value, scheme string) (string, bool) {
	word, rest, ok := strings.Cut(strings.TrimSpace(value), " ")
	return strings.TrimSpace(rest), ok && strings.EqualFold(word, scheme)
}
