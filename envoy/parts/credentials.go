package parts

import (
	"crypto/sha1" //nolint:gosec // the only format that Envoy's basic_auth filter reads
	"encoding/base64"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	apikeyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/api_key_auth/v3"
	basicv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/basic_auth/v3"
	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"semlb/envoy"
	"semlb/wire"
)

// Credentials authenticate consumers. Envoy checks the credential of a request and
// answers 401 if it is wrong; a request without one is anonymous.
//
// Envoy's configuration holds the keys and the hashes of the passwords in fields that its
// config_dump redacts, and of the secrets of tokens the file names only.
type Credentials struct {
	APIKeys []APIKey
	Users   []User
	Issuers []Issuer
}

// APIKey is a consumer's key, sent in the header or the query parameter apikey.
type APIKey struct {
	Consumer string
	Key      wire.Secret
}

// User is a user name and a password of HTTP basic authentication.
type User struct {
	Name     string
	Password wire.Secret
}

// Hash is the form in which Envoy's configuration holds the password.
func (u User) Hash() string {
	sum := sha1.Sum([]byte(u.Password.Reveal())) //nolint:gosec // see the import
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Issuer signs tokens: its name is their iss claim, its file the JSON Web Key Set that
// verifies their signatures.
type Issuer struct{ Name, KeySetFile string }

// filters are Envoy's own, each skipped unless a request has its kind of credential.
func (c Credentials) filters() []*hcmv3.HttpFilter {
	var filters []*hcmv3.HttpFilter
	if len(c.APIKeys) > 0 {
		filters = append(filters, onlyIf("envoy.filters.http.api_key_auth", c.apiKeyAuth(),
			matchesHeader(envoy.APIKeyName, ".+"), matchesQuery(envoy.APIKeyName, ".+")))
	}
	if len(c.Users) > 0 {
		filters = append(filters, onlyIf("envoy.filters.http.basic_auth", c.basicAuth(), matchesHeader("authorization", "(?i)basic .+")))
	}
	if len(c.Issuers) > 0 {
		// A bearer token that is no JWT may be the client's key for the provider.
		filters = append(filters, onlyIf("envoy.filters.http.jwt_authn", c.jwtAuth(),
			matchesHeader("authorization", `(?i)bearer [A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`),
			matchesQuery(envoy.TokenName, ".+")))
	}
	return filters
}

func (c Credentials) apiKeyAuth() *apikeyv3.ApiKeyAuth {
	a := &apikeyv3.ApiKeyAuth{
		KeySources: []*apikeyv3.KeySource{{Header: envoy.APIKeyName}, {Query: envoy.APIKeyName}},
		// The external processor removes credentials. Envoy would decode a query from which
		// it removes a parameter, and leave it decoded, line breaks included.
		Forwarding: &apikeyv3.Forwarding{Header: envoy.HeaderConsumer},
	}
	for _, k := range c.APIKeys {
		a.Credentials = append(a.Credentials, &apikeyv3.Credential{Key: k.Key.Reveal(), Client: k.Consumer})
	}
	return a
}

func (c Credentials) basicAuth() *basicv3.BasicAuth {
	var lines strings.Builder
	for _, u := range c.Users {
		lines.WriteString(u.Name + ":{SHA}" + u.Hash() + "\n")
	}
	return &basicv3.BasicAuth{
		Users:                 &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: lines.String()}},
		ForwardUsernameHeader: envoy.HeaderBasicUser,
	}
}

func (c Credentials) jwtAuth() *jwtv3.JwtAuthentication {
	a := &jwtv3.JwtAuthentication{Providers: make(map[string]*jwtv3.JwtProvider)}
	var alternatives []*jwtv3.JwtRequirement
	for _, i := range c.Issuers {
		a.Providers[i.Name] = &jwtv3.JwtProvider{
			Issuer: i.Name,
			JwksSourceSpecifier: &jwtv3.JwtProvider_LocalJwks{LocalJwks: &corev3.DataSource{
				Specifier: &corev3.DataSource_Filename{Filename: i.KeySetFile},
			}},
			// The filter compares the prefix with its letter case.
			FromHeaders: []*jwtv3.JwtHeader{
				{Name: "authorization", ValuePrefix: "Bearer "}, {Name: "authorization", ValuePrefix: "bearer "},
			},
			FromParams: []string{envoy.TokenName},
			// The external processor removes it, as it does keys.
			Forward:        true,
			ClaimToHeaders: []*jwtv3.JwtClaimToHeader{{HeaderName: envoy.HeaderIssuer, ClaimName: "iss"}},
		}
		alternatives = append(alternatives, &jwtv3.JwtRequirement{RequiresType: &jwtv3.JwtRequirement_ProviderName{ProviderName: i.Name}})
	}
	required := alternatives[0]
	if len(alternatives) > 1 {
		required = &jwtv3.JwtRequirement{RequiresType: &jwtv3.JwtRequirement_RequiresAny{
			RequiresAny: &jwtv3.JwtRequirementOrList{Requirements: alternatives},
		}}
	}
	a.Rules = []*jwtv3.RequirementRule{{
		Match:           &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
		RequirementType: &jwtv3.RequirementRule_Requires{Requires: required},
	}}
	return a
}
