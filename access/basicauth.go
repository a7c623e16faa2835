package access

import (
	"encoding/base64"
	"strings"

	"semlb/config"
)

// defaultBasicAuth are Kong's defaults.
var defaultBasicAuth = &config.BasicAuth{Realm: "service"}

// basicAuth authenticates consumers by a user name and a password.
type basicAuth struct {
	*credentials
	challenge string
}

func newBasicAuth(s *config.BasicAuth, known *credentials) basicAuth {
	return basicAuth{known, withRealm("Basic", s.Realm)}
}

// find takes the credentials for a proxy if they name a user, else those in Authorization.
func (b basicAuth) find(r *Request, v *visit) (string, *Refusal) {
	code := CodeNoCredential
	for _, header := range []string{"proxy-authorization", authorization} {
		encoded, ok := cutScheme(first(r.Header(header)), "basic")
		if !ok {
			continue
		}
		v.spend(header)
		code = CodeInvalidCredential
		name, password, ok := userAndPassword(encoded)
		sent := digestOf(password) // of unknown users too, which takes as long
		u, known := b.users[name]
		if ok && known && u.password == sent {
			return u.consumer, nil
		}
		if known {
			break
		}
	}
	return "", unauthorized(code, "Unauthorized", b.challenge)
}

// userAndPassword reads the credentials of RFC 7617, with or without padding.
func userAndPassword(encoded string) (name, password string, ok bool) {
	text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}
