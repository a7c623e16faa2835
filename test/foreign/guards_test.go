package foreign_test

import (
	"encoding/base64"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

const secretOfCarol = "secret-of-carol-secret-of-carol-32"

// guarded is kong with consumers, and plugins on routes that the page's listener names: by
// the name of Envoy's route, by metadata, and by gRPC metadata.
func guarded(scopes ...string) string {
	return kong(scopes...) + `
- {name: key-auth, route: chat}
- {name: acl, route: chat, config: {allow: [staff]}}
- {name: jwt, service: helpdesk, config: {claims_to_verify: [exp]}}
- {name: request-termination, route: search, config: {trigger: x-stop}}
consumers:
- {username: anna, acls: [{group: staff}], keyauth_credentials: [{key: key-of-anna}]}
- {username: bob, acls: [{group: guests}], groups: [{name: Gold Users}], keyauth_credentials: [{key: key-of-bob}]}
- {username: carol, jwt_secrets: [{key: issuer-of-carol, secret: ` + secretOfCarol + `}]}
- {username: dora, keyauth_credentials: [{key: key-of-dora}], basicauth_credentials: [{username: dora-1, password: password-of-dora}]}
consumer_groups: [{name: Gold Users}]
`
}

func key(k string) http.Header { return http.Header{"Apikey": {k}} }

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func basic(credentials string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))}}
}

// token is one of carol's that a secret signs, and that ends after a time.
func token(t *testing.T, secret string, after time.Duration) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": "issuer-of-carol", "exp": time.Now().Add(after).Unix()}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	require.NoError(t, err)
	return text
}

// visitor is a client, and what it is answered.
type visitor struct {
	name, where string
	header      http.Header
	// scope is that of the instance that serves; else status and code refuse.
	scope  string
	status int
	code   string
}

// requireVisits checks the answers of a listener: with the visitors' headers alone, and with all
// claims of being someone else beside them.
func (w *world) requireVisits(listener string, visitors []visitor) {
	w.t.Helper()
	for _, v := range visitors {
		w.t.Run(listener+" "+v.name, func(t *testing.T) {
			w := w.in(t)
			claimed := claims()
			maps.Copy(claimed, v.header)
			for _, header := range []http.Header{v.header, claimed} {
				answer := w.ask(listener, v.where, header)
				if v.scope != "" {
					w.requireServed(v.scope, answer)
					continue
				}
				w.requireRefused(v.status, v.code, answer)
			}
		})
	}
}

// TestPluginsGuardForeignListeners, also that which does not drop clients' headers.
func TestPluginsGuardForeignListeners(t *testing.T) {
	const chat, tickets, search = "route: chat", "route: tickets, service: helpdesk", "route: search"
	w := newWorldOf(t, guarded(chat, tickets, search))
	visitors := []visitor{
		{"anonymous", "/chat", nil, "", 401, "no_credential"},
		{"a wrong key", "/chat", key("wrong"), "", 401, "invalid_credential"},
		{"denied", "/chat", key("key-of-bob"), "", 403, "consumer_not_allowed"},
		{"allowed", "/chat", key("key-of-anna"), chat, 0, ""},
		{"allowed by its query", "/chat?apikey=key-of-anna", nil, chat, 0, ""},
		{"a token where a key is wanted", "/chat", bearer(token(t, secretOfCarol, time.Hour)), "", 401, "no_credential"},

		{"no token", "/tickets", nil, "", 401, "no_credential"},
		{"a key where a token is wanted", "/tickets", key("key-of-anna"), "", 401, "no_credential"},
		{"a token", "/tickets", bearer(token(t, secretOfCarol, time.Hour)), tickets, 0, ""},
		{"a token in the query", "/tickets?jwt=" + token(t, secretOfCarol, time.Hour), nil, tickets, 0, ""},
		{"a token that has expired", "/tickets", bearer(token(t, secretOfCarol, -time.Second)), "", 401, "invalid_credential"},
		{"a forged token", "/tickets", bearer(token(t, "secret-of-somebody-else-secret-32", time.Hour)), "", 401, "invalid_credential"},

		{"anybody", "/search", nil, search, 0, ""},
		{"terminated", "/search", http.Header{"X-Stop": {"1"}}, "", 503, "request_terminated"},
	}
	for _, listener := range []string{plain, lax} {
		w.requireVisits(listener, visitors)
	}
}

// TestCredentialsChooseTheScopeBehindForeignListeners, without a plugin that wants one, and
// without a filter of the listener.
func TestCredentialsChooseTheScopeBehindForeignListeners(t *testing.T) {
	w := newWorldOf(t, guarded(dora, gold, "route: search", "consumer: carol, route: search"))
	visitors := []visitor{
		{"anonymous", "/", nil, "", 401, "no_consumer"},
		{"anonymous, elsewhere", "/search", nil, "route: search", 0, ""},
		{"a provider's key", "/search", bearer("sk-of-a-provider"), "route: search", 0, ""},
		{"a key", "/", key("key-of-dora"), dora, 0, ""},
		{"a key in the query", "/search?apikey=key-of-dora", nil, dora, 0, ""},
		{"a password", "/", basic("dora-1:password-of-dora"), dora, 0, ""},
		{"a key of a group's member", "/search", key("key-of-bob"), gold, 0, ""},
		{"a token", "/search", bearer(token(t, secretOfCarol, time.Hour)), "consumer: carol, route: search", 0, ""},
		{"a wrong key", "/search", key("wrong"), "", 401, "invalid_credential"},
		{"a wrong password", "/search", basic("dora-1:wrong"), "", 401, "invalid_credential"},
		{"a forged token", "/search", bearer(token(t, "secret-of-somebody-else-secret-32", time.Hour)), "", 401, "invalid_credential"},
	}
	for _, listener := range []string{plain, lax} {
		w.requireVisits(listener, visitors)
	}
}

// TestListenersThatAuthenticateAndCredentials has listeners with a filter that accepts Dora's key,
// names her, and drops every key. Where a plugin authenticates, that does not count. Where
// none does, a credential names who is unknown to the listener.
func TestListenersThatAuthenticateAndCredentials(t *testing.T) {
	w := newWorldOf(t, guarded(dora, "consumer: carol", "route: chat"))
	for _, listener := range []string{headers, metadata} {
		w.requireVisits(listener, []visitor{
			{"the listener's consumer", "/", key("key-of-dora"), dora, 0, ""},
			{"where a plugin authenticates", "/chat", key("key-of-dora"), "", 401, "no_credential"},
			{"a token", "/", bearer(token(t, secretOfCarol, time.Hour)), "consumer: carol", 0, ""},
			{"a wrong password", "/", basic("dora-1:wrong"), "", 401, "invalid_credential"},
			{"anonymous", "/", nil, "", 401, "no_consumer"},
		})
	}
}
