package access

import (
	"encoding/base64"
	"strings"

	"semlb/config"
)

// basicAuth authenticates consumers by a user name and a password.
type basicAuth struct {
	challenge string
	users     map[string]user
}

// user is the consumer of a user name.
type user struct {
	consumer string
	password digest
}

func newBasicAuth(s *config.BasicAuth, consumers []config.Consumer, anonymous string) guard {
	b := basicAuth{challenge: withRealm("Basic", s.Realm), users: make(map[string]user)}
	each(consumers, func(name string, c *config.Consumer) {
		for _, credential := range c.BasicAuth {
			b.users[credential.Username] = user{name, digestOf(credential.Password.Reveal())}
		}
	})
	return authentication{anonymous: anonymous, preflight: true, find: b.find}
}

// find takes the credentials for a proxy if they name a user, else those in Authorization.
func (b basicAuth) find(r *Request, v *visit) (string, *Refusal) {
	code := CodeNoCredential
	for _, header := range []string{"proxy-authorization", "authorization"} {
		name, password, ok := credentials(first(r.Header(header)))
		if !ok {
			continue
		}
		v.spend(header)
		code = CodeInvalidCredential
		u, known := b.users[name]
		if known && u.password == digestOf(password) {
			return u.consumer, nil
		}
		if known {
			break
		}
	}
	return "", unauthorized(code, "Unauthorized", b.challenge)
}

// credentials reads a header's value of RFC 7617.
func credentials(value string) (name, password string, ok bool) {
	encoded, ok := cutScheme(value, "basic")
	if !ok {
		return "", "", false
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}
