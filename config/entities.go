package config

import (
	"cmp"

	"semlb/wire"
)

// Service is a Kong service. Its upstream is not part of the model, because the plugin's
// targets take its place.
type Service struct {
	ID       string   `kong:"id"`
	Name     string   `kong:"name"`
	Enabled  bool     `kong:"enabled"`
	Tags     []string `kong:"tags"`
	Position Position `kong:"-"`
}

// Route is a Kong route. An empty list matches any request.
type Route struct {
	ID   string `kong:"id"`
	Name string `kong:"name"`
	// Service is the name, or else the id, of the route's service, or empty.
	Service string `kong:"-"`
	// Hosts may start with "*." or end with ".*", and have a port.
	Hosts []string `kong:"hosts"`
	// Paths are prefixes, or regular expressions behind a "~", as RE2 has them.
	Paths   []string `kong:"paths"`
	Methods []string `kong:"methods"`
	// Headers must each have one of their values; a value behind "~*" is a regular
	// expression.
	Headers map[string][]string `kong:"headers"`
	// StripPath takes the matching prefix off the path.
	StripPath bool `kong:"strip_path"`
	// RegexPriority orders routes whose paths are regular expressions, highest first.
	RegexPriority int `kong:"regex_priority"`
	// Protocols are http, https or both.
	Protocols []string `kong:"protocols"`
	// RedirectStatus is the status of the answer to plain HTTP where Protocols has only
	// https: 426, or that of a redirect.
	RedirectStatus int      `kong:"https_redirect_status_code"`
	PreserveHost   bool     `kong:"preserve_host"`
	Tags           []string `kong:"tags"`
	Position       Position `kong:"-"`
}

// Consumer is someone who sends requests.
type Consumer struct {
	ID       string   `kong:"id"`
	Username string   `kong:"username"`
	CustomID string   `kong:"custom_id"`
	Tags     []string `kong:"tags"`
	// Groups are the names, or else the ids, of the consumer's groups, in
	// alphabetical order.
	Groups     []string              `kong:"-"`
	KeyAuth    []KeyAuthCredential   `kong:"keyauth_credentials"`
	BasicAuth  []BasicAuthCredential `kong:"basicauth_credentials"`
	JWTSecrets []JWTSecret           `kong:"jwt_secrets"`
	ACLs       []ACLGroup            `kong:"acls"`
	Position   Position              `kong:"-"`
}

// Called returns the name that stands for the consumer: its user name, else its id,
// else its custom id.
func (c Consumer) Called() string { return cmp.Or(c.Username, c.ID, c.CustomID) }

// KeyAuthCredential is an API key.
type KeyAuthCredential struct {
	ID  string      `kong:"id"`
	Key wire.Secret `kong:"key"`
}

// BasicAuthCredential is a user name and a password.
type BasicAuthCredential struct {
	ID       string      `kong:"id"`
	Username string      `kong:"username"`
	Password wire.Secret `kong:"password"`
}

// JWTSecret checks the signatures of tokens whose issuer is Key.
type JWTSecret struct {
	ID           string      `kong:"id"`
	Key          string      `kong:"key"`
	Algorithm    string      `kong:"algorithm"`
	Secret       wire.Secret `kong:"secret"`
	RSAPublicKey string      `kong:"rsa_public_key"`
}

// ACLGroup puts a consumer into a group of the plugin acl, which is no [ConsumerGroup].
type ACLGroup struct {
	ID    string `kong:"id"`
	Group string `kong:"group"`
}

// ConsumerGroup is a group of consumers.
type ConsumerGroup struct {
	ID       string   `kong:"id"`
	Name     string   `kong:"name"`
	Tags     []string `kong:"tags"`
	Position Position `kong:"-"`
}
