package rules

import (
	"cmp"
	"fmt"
	"strings"

	"semlb/config"
	"semlb/config/report"
	"semlb/config/tree"
)

// identifying are the fields by which a request's credential finds its consumer.
var identifying = []struct{ list, field, name string }{
	{"keyauth_credentials", "key", "key"},
	{"basicauth_credentials", "username", "user name"},
	{"jwt_secrets", "key", "key"},
}

// Consumers checks consumers one after the other. Credentials of all of them have to
// differ: a request with one that two consumers share would be both.
type Consumers struct {
	checker
	// seen are the credentials of the consumers so far.
	seen map[identity]location
}

// identity is what a request finds its consumer by. The value is never shown.
type identity struct{ list, value string }

// location is where a credential is.
type location struct {
	path string
	pos  config.Position
}

// String returns "path at file:line".
func (l location) String() string { return fmt.Sprintf("%s at %s", l.path, l.pos) }

// NewConsumers returns the check of a configuration's consumers.
func NewConsumers(r *report.Report) *Consumers {
	return &Consumers{checker: checker{r}, seen: map[identity]location{}}
}

// Check checks a consumer, whose references are filled in.
func (c *Consumers) Check(consumer tree.Cursor) {
	for _, kind := range identifying {
		for _, credential := range consumer.At(kind.list).Items() {
			c.unique(kind.list, kind.name, credential.At(kind.field))
		}
	}
	for _, credential := range consumer.At("basicauth_credentials").Items() {
		c.userName(credential.At("username"))
	}
	for _, credential := range consumer.At("jwt_secrets").Items() {
		c.signingKey(credential)
	}
}

func (c *Consumers) unique(list, name string, value tree.Cursor) {
	if !value.Known() {
		return
	}
	id := identity{list, value.Node.Text}
	if first, repeated := c.seen[id]; repeated {
		c.Problem(value.Pos, value.Path, "got a second credential with the same %s, first %s", name, first)
		return
	}
	c.seen[id] = location{value.Path, value.Pos}
}

// userName: RFC 7617 ends it at the first colon.
func (c checker) userName(name tree.Cursor) {
	if name.Known() && strings.Contains(name.Node.Text, ":") {
		c.Want(name.Pos, name.Path, "a string "+report.Redacted, "a user name without colons")
	}
}

// signingKey: the key that the algorithm checks signatures with, of its kind, or no
// token would ever be accepted.
func (c checker) signingKey(credential tree.Cursor) {
	algorithm := cmp.Or(credential.At("algorithm").Node.Str(), "HS256")
	with := "with algorithm " + algorithm
	if given := credential.At("algorithm"); given.Exists() {
		with = "with algorithm " + shown(given)
	}
	if strings.HasPrefix(algorithm, "HS") {
		c.need(credential.At("secret"), with)
		return
	}
	key := credential.At("rsa_public_key")
	c.need(key, with)
	if !key.Known() {
		return
	}
	if got, want := config.KeyKind(key.Node.Text), config.KeyKindFor(algorithm); got != want {
		c.Want(key.Pos, key.Path, got, want+" in PEM "+with)
	}
}
