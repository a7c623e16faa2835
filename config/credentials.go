package config

import (
	"fmt"
	"strings"
)

// credentialKey is what a request tells consumers apart by: an API key, a user name
// or the issuer of a token.
type credentialKey struct{ list, value string }

// credentialPlace is where a credential is.
type credentialPlace struct {
	path string
	pos  Position
}

// credentials checks those of a consumer. No two, of whichever consumers, may be told
// apart by the same: a request with it would be both. Values are compared after their
// references are filled in, and never shown.
func (l *loader) credentials(consumer place) {
	for _, kind := range []struct{ list, field, what string }{
		{"keyauth_credentials", "key", "key"},
		{"basicauth_credentials", "username", "user name"},
		{"jwt_secrets", "key", "key"},
	} {
		for _, c := range consumer.at(kind.list).items() {
			value := c.at(kind.field)
			if !value.known() {
				continue
			}
			key := credentialKey{kind.list, value.n.text}
			if first, twice := l.credentialsSeen[key]; twice {
				l.problem(value.pos, value.path, "got a second credential with the same %s, first %s", kind.what, first)
				continue
			}
			l.credentialsSeen[key] = credentialPlace{value.path, value.pos}
		}
	}
	for _, c := range consumer.at("basicauth_credentials").items() {
		l.userName(c.at("username"))
	}
	for _, c := range consumer.at("jwt_secrets").items() {
		l.tokenSecret(c)
	}
}

// String returns "path at file:line".
func (p credentialPlace) String() string { return fmt.Sprintf("%s at %s", p.path, p.pos) }

// userName: RFC 7617 ends it at the first colon.
func (c *checker) userName(name place) {
	if name.known() && strings.ContainsFunc(name.n.text, func(r rune) bool { return r == ':' || r < ' ' || r == 0x7f }) {
		c.want(name.pos, name.path, "a string "+redacted, "a user name without colons and control characters")
	}
}

// tokenSecret: what signatures of the algorithm are checked with.
func (c *checker) tokenSecret(secret place) {
	algorithm := firstOf(secret.at("algorithm").n.str(), "HS256")
	if strings.HasPrefix(algorithm, "HS") {
		c.need(secret.at("secret"), "with algorithm "+algorithm)
		return
	}
	c.need(secret.at("rsa_public_key"), "with algorithm "+algorithm)
	c.publicKey(secret.at("rsa_public_key"), algorithm)
}
