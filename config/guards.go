package config

import (
	"slices"
)

// GuardPlugin is a plugin that has a say over who may use the instances: it authenticates
// clients, refuses requests, or limits them.
type GuardPlugin struct {
	// Name is Kong's name of the plugin.
	Name string
	// ID is the UUID the file gives, or empty.
	ID string
	// InstanceName is a name that the file chooses, or empty.
	InstanceName string
	Enabled      bool
	Tags         []string
	Scope        Scope
	// Settings are a pointer to those of the plugin, such as [*KeyAuth].
	Settings any
	// Given are the settings as the file has them, with its references filled in, as
	// encoding/json decodes them.
	Given map[string]any
	// Position is where the file starts the plugin.
	Position Position
}

// Authenticates reports whether the plugin finds out who the client is.
func (g *GuardPlugin) Authenticates() bool {
	switch g.Settings.(type) {
	case *KeyAuth, *BasicAuth, *JWT:
		return true
	default:
		return false
	}
}

// Anonymous returns the consumer of the requests that the plugin lets pass without a valid
// credential; empty where it lets none.
func (g *GuardPlugin) Anonymous() string {
	switch s := g.Settings.(type) {
	case *KeyAuth:
		return s.Anonymous
	case *BasicAuth:
		return s.Anonymous
	case *JWT:
		return s.Anonymous
	default:
		return ""
	}
}

// KeyAuth are the settings of key-auth: a consumer sends a key.
type KeyAuth struct {
	KeyNames []string `kong:"key_names"`
	InHeader bool     `kong:"key_in_header"`
	InQuery  bool     `kong:"key_in_query"`
	// Anonymous is the consumer of requests without a valid key; empty refuses them.
	Anonymous       string `kong:"anonymous"`
	HideCredentials bool   `kong:"hide_credentials"`
	RunOnPreflight  bool   `kong:"run_on_preflight"`
	Realm           string `kong:"realm"`
}

// BasicAuth are the settings of basic-auth: a consumer sends a user name and a password.
type BasicAuth struct {
	// Anonymous is the consumer of requests without valid credentials; empty refuses them.
	Anonymous       string `kong:"anonymous"`
	HideCredentials bool   `kong:"hide_credentials"`
	Realm           string `kong:"realm"`
}

// JWT are the settings of jwt: a consumer sends a token that is signed with its secret.
type JWT struct {
	// Params, Cookies and Headers are the names of where tokens are.
	Params  []string `kong:"uri_param_names"`
	Cookies []string `kong:"cookie_names"`
	Headers []string `kong:"header_names"`
	// KeyClaim is the claim, or the member of the token's header, with the key of a secret.
	KeyClaim string `kong:"key_claim_name"`
	// ClaimsToVerify are exp, nbf or both. A token needs those.
	ClaimsToVerify []string `kong:"claims_to_verify"`
	// MaximumExpiration is how far in the future a token may expire, in seconds; 0 is any.
	MaximumExpiration float64 `kong:"maximum_expiration"`
	SecretIsBase64    bool    `kong:"secret_is_base64"`
	// Anonymous is the consumer of requests without a valid token; empty refuses them.
	Anonymous      string `kong:"anonymous"`
	RunOnPreflight bool   `kong:"run_on_preflight"`
	Realm          string `kong:"realm"`
}

// ACL are the settings of acl: consumers of some groups are allowed, or denied.
type ACL struct {
	Allow []string `kong:"allow"`
	Deny  []string `kong:"deny"`
	// IncludeConsumerGroups compares with consumer groups too.
	IncludeConsumerGroups bool `kong:"include_consumer_groups"`
	// AuthenticatedGroups compares with the groups that a listener names even where the consumer
	// has groups of its own.
	AuthenticatedGroups bool `kong:"always_use_authenticated_groups"`
	HideGroupsHeader    bool `kong:"hide_groups_header"`
}

// IPRestriction are the settings of ip-restriction: addresses and networks of clients.
type IPRestriction struct {
	Allow []string `kong:"allow"`
	Deny  []string `kong:"deny"`
	// Status and Message are those of a refusal; 0 and empty are Kong's.
	Status  int    `kong:"status"`
	Message string `kong:"message"`
}

// RequestSizeLimiting are the settings of request-size-limiting.
type RequestSizeLimiting struct {
	AllowedPayloadSize   int64  `kong:"allowed_payload_size"`
	SizeUnit             string `kong:"size_unit"`
	RequireContentLength bool   `kong:"require_content_length"`
}

// Bytes is the longest body that is allowed.
func (l *RequestSizeLimiting) Bytes() int64 {
	switch l.SizeUnit {
	case "bytes":
		return l.AllowedPayloadSize
	case "kilobytes":
		return l.AllowedPayloadSize << 10
	default:
		return l.AllowedPayloadSize << 20
	}
}

// RequestTermination are the settings of request-termination: it answers every request,
// or those with the trigger in a header or a query parameter.
type RequestTermination struct {
	StatusCode  int    `kong:"status_code"`
	Message     string `kong:"message"`
	Body        string `kong:"body"`
	ContentType string `kong:"content_type"`
	Trigger     string `kong:"trigger"`
}

// CORS are the settings of cors: what browsers may do for pages of other origins.
type CORS struct {
	// Origins are "*", origins or regular expressions; none is any origin.
	Origins        []string `kong:"origins"`
	Methods        []string `kong:"methods"`
	Headers        []string `kong:"headers"`
	ExposedHeaders []string `kong:"exposed_headers"`
	// MaxAge is how long browsers may keep the answer to a preflight, in seconds; nil
	// leaves it to them.
	MaxAge         *float64 `kong:"max_age"`
	Credentials    bool     `kong:"credentials"`
	PrivateNetwork bool     `kong:"private_network"`
	// AllowOriginAbsent is without effect on browsers: they send an origin.
	AllowOriginAbsent bool `kong:"allow_origin_absent"`
}

// guardKinds are the plugins that are served, in the order in which Kong runs them, with
// their settings.
var guardKinds = []struct {
	name     string
	settings func() any
}{
	{"cors", func() any { return new(CORS) }},
	{"jwt", func() any { return new(JWT) }},
	{"key-auth", func() any { return new(KeyAuth) }},
	{"basic-auth", func() any { return new(BasicAuth) }},
	{"ip-restriction", func() any { return new(IPRestriction) }},
	{"request-size-limiting", func() any { return new(RequestSizeLimiting) }},
	{"acl", func() any { return new(ACL) }},
	{"request-termination", func() any { return new(RequestTermination) }},
}

// NewGuardSettings returns a pointer to empty settings of a plugin; nil for one that is
// not served.
func NewGuardSettings(plugin string) any {
	if i := guardOrder(plugin); i >= 0 {
		return guardKinds[i].settings()
	}
	return nil
}

// guardOrder is the place of a plugin in Kong's order, or -1.
func guardOrder(plugin string) int {
	for i := range guardKinds {
		if guardKinds[i].name == plugin {
			return i
		}
	}
	return -1
}

// Guards returns the plugins that guard a request, in the order in which Kong runs them:
// of each name the one that [Config.Find] would return of several instances.
//
// It is safe for concurrent use once the configuration is complete.
func (c *Config) Guards(r Request) []*GuardPlugin {
	if len(c.Guarding) == 0 {
		return nil
	}
	x := c.index
	if x == nil {
		x = newIndex(c)
	}
	var found []*GuardPlugin
	for s := range x.scopes(r) {
		for _, g := range x.guards[s] {
			if !slices.ContainsFunc(found, func(other *GuardPlugin) bool { return other.Name == g.Name }) {
				found = append(found, g)
			}
		}
	}
	slices.SortFunc(found, func(a, b *GuardPlugin) int { return guardOrder(a.Name) - guardOrder(b.Name) })
	return found
}
