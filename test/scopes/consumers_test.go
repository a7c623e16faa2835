package scopes_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// consumers is a decK file with four consumers, each with its own instance and another
// kind of credential, and with additional plugins.
func consumers(more string) string {
	return `_format_version: "3.0"
consumers:
- {username: anna, custom_id: anna-1, id: 1c1c1c1c-0000-4000-8000-00000000000a, keyauth_credentials: [{key: key-of-anna}]}
- {username: bob, custom_id: bob-1, basicauth_credentials: [{username: bobby, password: password-of-bob}]}
- {username: carol, jwt_secrets: [{key: issuer-of-carol, secret: secret-of-carol-secret-of-carol-32}]}
- {username: dave, jwt_secrets: [{key: issuer-of-dave, secret: secret-of-dave-secret-of-dave-3232}]}
- {username: erin, groups: [{name: gold}]}
consumer_groups: [{name: gold}]
plugins:
` + instance("anna", "consumer: anna") + instance("bob", "consumer: bob") +
		instance("carol", "consumer: carol") + instance("dave", "consumer: dave") +
		instance("gold", "consumer_group: gold") + more
}

// token is a JSON Web Token of RFC 7519, signed with HS256.
func token(t *testing.T, secret string, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(map[string]string{"alg": "HS256", "typ": "JWT"}) + "." + part(claims)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(signed)) // a hash takes everything
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const (
	secretOfCarol = "secret-of-carol-secret-of-carol-32"
	secretOfDave  = "secret-of-dave-secret-of-dave-3232"
)

func basic(user, password string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}}
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// TestEachCredentialAuthenticatesItsConsumer sends right, wrong and no credentials of every
// kind. A request without a valid credential is not served by a consumer's instance, and none of it reaches
// the provider.
func TestEachCredentialAuthenticatesItsConsumer(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	s := start(t, consumers(""), openAI)
	later, before := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	carols := token(t, secretOfCarol, map[string]any{"iss": "issuer-of-carol", "exp": later})
	daves := token(t, secretOfDave, map[string]any{"iss": "issuer-of-dave"})
	forged := token(t, secretOfDave, map[string]any{"iss": "issuer-of-carol", "exp": later})
	expired := token(t, secretOfCarol, map[string]any{"iss": "issuer-of-carol", "exp": before})
	unknown := token(t, secretOfCarol, map[string]any{"iss": "unknown-issuer", "exp": later})
	unsigned := carols[:strings.LastIndex(carols, ".")+1]
	for _, p := range harness.Protocols() {
		c := harness.NewClient(t, p)
		for _, tt := range []struct {
			name   string
			query  string
			header http.Header
			want   string
		}{
			{"nothing", "", nil, "401"},
			{"a key", "", http.Header{"Apikey": {"key-of-anna"}}, "anna"},
			{"a key in the query", "?apikey=key-of-anna", nil, "anna"},
			{"a key among others", "?keep=a%20b&apikey=key-of-anna", nil, "anna"},
			{"a wrong key", "", http.Header{"Apikey": {"key-of-annA"}}, "401"},
			{"basic", "", basic("bobby", "password-of-bob"), "bob"},
			{"basic, the consumer's name", "", basic("bob", "password-of-bob"), "401"},
			{"basic, wrong password", "", basic("bobby", "password-of-bo"), "401"},
			{"basic, no password", "", basic("bobby", ""), "401"},
			{"basic, garbage", "", http.Header{"Authorization": {"Basic !!!"}}, "401"},
			{"a token", "", bearer(carols), "carol"},
			{"a token, bearer in small letters", "", http.Header{"Authorization": {"bearer " + carols}}, "carol"},
			{"a token without an end", "", bearer(daves), "dave"},
			{"a token in the query", "?keep=a%20b&jwt=" + carols, nil, "carol"},
			{"another token in the query", "?jwt=" + daves, nil, "dave"},
			{"a token with another's signature", "", bearer(forged), "401"},
			{"the same in the query", "?jwt=" + forged, nil, "401"},
			{"a token that has expired", "", bearer(expired), "401"},
			{"the same in the query", "?jwt=" + expired, nil, "401"},
			{"a token of an unknown issuer", "", bearer(unknown), "401"},
			{"the same in the query", "?jwt=" + unknown, nil, "401"},
			{"a token without a signature", "", bearer(unsigned), "401"},
			{"no token in the query", "?jwt=nonsense", nil, "401"},
			{"an empty token in the query", "?jwt=", nil, "401"},
			{"a bearer token that is none", "", bearer("sk-of-a-provider"), "401"},
		} {
			t.Run(string(p)+"/"+tt.name, func(t *testing.T) {
				openAI.Reset()
				require.Equal(t, tt.want, send(t, s, c, sent{path: harness.ChatPath + tt.query, header: tt.header}))
				if tt.want == "401" {
					require.Empty(t, openAI.Requests())
					return
				}
				got := openAI.Only(t)
				require.NotRegexp(t, "key-of-anna|issuer-of|eyJ|Basic|jwt|(?i)x-semlb|x-consumer", fmt.Sprint(got.URI, got.Header, string(got.Body)))
				if strings.HasPrefix(tt.query, "?keep") {
					require.Equal(t, harness.ChatPath+"?keep=a%20b", got.URI)
				}
			})
		}
	}
}

// TestAWrongCredentialIsAnsweredAsByKongsPlugins, before the body is taken.
func TestAWrongCredentialIsAnsweredAsByKongsPlugins(t *testing.T) {
	s := start(t, consumers(instance("anybody", "enabled: true")), harness.NewStub(t, "openai"))
	for _, tt := range []struct {
		header             http.Header
		challenge, message string
	}{
		{http.Header{"Apikey": {"wrong"}}, "Key", "Unauthorized"},
		{http.Header{"Apikey": {"key-of-anna", "key-of-anna"}}, "Key", "Duplicate API key found"},
		{basic("bobby", "wrong"), `Basic realm="service"`, "Unauthorized"},
		{bearer(token(t, secretOfDave, map[string]any{"iss": "issuer-of-carol"})), `Bearer error="invalid_token"`, "Invalid signature"},
	} {
		body, never := io.Pipe()
		t.Cleanup(func() { _ = never.Close() })
		answer := s.Do(harness.NewClient(t, harness.HTTP2), s.Request(s.Context(), harness.ChatPath, body, tt.header))
		require.Equal(t, http.StatusUnauthorized, answer.Status, answer.Body)
		require.Equal(t, tt.challenge, answer.Header.Get("WWW-Authenticate"))
		require.Equal(t, tt.message, answer.OpenAIError(t).Message)
		require.Equal(t, "invalid_credential", answer.OpenAIError(t).Code)
	}
	require.NotRegexp(t, "wrong|key-of|eyJ", s.Log())
}

// TestConsumersCredentialsAreNotForwarded: not even where the target lets a
// client's own credential pass, on the first attempt or the second. What was percent-encoded
// in the query stays so.
func TestConsumersCredentialsAreNotForwarded(t *testing.T) {
	first, second := harness.NewStub(t, "first"), harness.NewStub(t, "second")
	target := func(s *harness.Stub, weight int) string {
		return fmt.Sprintf("{route_type: llm/v1/chat, weight: %d, auth: {header_name: Authorization, header_value: Bearer of-the-target, allow_override: true}, "+
			"model: {provider: openai, name: m, options: {upstream_url: %q}}}", weight, s.URL+harness.ChatPath)
	}
	s := start(t, `_format_version: "3.0"
consumers:
- {username: anna, keyauth_credentials: [{key: proof-of-anna}]}
- {username: bob, basicauth_credentials: [{username: bobby, password: proof-of-bob}]}
- {username: carol, jwt_secrets: [{key: issuer-of-carol, secret: `+secretOfCarol+`}]}
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: priority, failover_criteria: [http_429, non_idempotent]}
    targets:
    - `+target(first, 9)+`
    - `+target(second, 1)+"\n", harness.NewStub(t, "openai"))
	c := harness.NewClient(t, harness.HTTP1)
	carols := token(t, secretOfCarol, map[string]any{"iss": "issuer-of-carol"})
	const own = "Bearer of-the-target"
	for _, tt := range []struct {
		name, query string
		header      http.Header
		want        string
	}{
		{"nothing", "keep=a%20b", nil, own},
		{"the client's own", "keep=a%20b", bearer("of-the-client"), "Bearer of-the-client"},
		{"basic", "keep=a%20b", basic("bobby", "proof-of-bob"), own},
		{"a token", "keep=a%20b", bearer(carols), own},
		{"a token in the query", "jwt=" + carols + "&keep=a%20b", nil, own},
		{"a key", "keep=a%20b", http.Header{"Apikey": {"proof-of-anna"}}, own},
		{"a key in the query", "apikey=proof-of-anna&keep=a%20b", nil, own},
		{"a key and the client's own", "apikey=proof-of-anna&keep=a%20b", bearer("of-the-client"), "Bearer of-the-client"},
		{"a key and another request behind it", "apikey=proof-of-anna&keep=%20HTTP/1.1%0D%0AX-Semlb-First:%20x%0D%0A%0D%0A", nil, own},
		{"a token and another request behind it", "jwt=" + carols + "&keep=%20HTTP/1.1%0D%0AX-Semlb-First:%20x%0D%0A%0D%0A", nil, own},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first.Reset()
			second.Reset()
			first.Do(harness.Status(http.StatusTooManyRequests))
			require.Equal(t, "m", send(t, s, c, sent{path: harness.ChatPath + "?" + tt.query, header: tt.header}))
			_, keep, _ := strings.Cut(tt.query, "keep=")
			for _, got := range []harness.Received{first.Only(t), second.Only(t)} {
				require.Equal(t, []string{tt.want}, got.Header["Authorization"])
				require.Equal(t, harness.ChatPath+"?keep="+keep, got.URI)
				require.NotRegexp(t, "proof|"+carols, fmt.Sprint(got.Header, string(got.Body)))
			}
		})
	}
}

// TestAnonymousRequestsAreServedByUnscopedInstances, and by no instance of a consumer.
func TestAnonymousRequestsAreServedByUnscopedInstances(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	s := start(t, consumers(instance("anybody", "enabled: true")), openAI)
	c := harness.NewClient(t, harness.HTTP1)
	for name, header := range map[string]http.Header{
		"nothing": nil, "a provider's key": bearer("sk-of-a-provider"),
	} {
		require.Equal(t, "anybody", send(t, s, c, sent{path: harness.ChatPath, header: header}), name)
	}
	require.Equal(t, "anna", send(t, s, c, sent{path: harness.ChatPath, header: http.Header{"Apikey": {"key-of-anna"}}}))
}

// TestConsumerHeadersOfClientsAreIgnored: the headers in which gateways name consumers, and
// semlb's own, each with everything that real consumers and a real group are called, who
// have instances of their own.
func TestConsumerHeadersOfClientsAreIgnored(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	everybody := instance("anybody", "enabled: true")
	for name, more := range map[string]string{"401": "", "anybody": everybody} {
		s := start(t, consumers(more), openAI)
		for _, p := range harness.Protocols() {
			c := harness.NewClient(t, p)
			for _, header := range []string{
				"X-Consumer-ID", "X-Consumer-Username", "X-Consumer-Custom-ID", "X-Consumer-Groups",
				"X-Semlb-Consumer", "X-Semlb-Consumer-From", "x-cOnSuMeR-uSeRnAmE",
			} {
				for _, who := range []string{
					"1c1c1c1c-0000-4000-8000-00000000000a", "anna", "anna-1", "bob", "bobby", "bob-1", "issuer-of-carol", "erin", "gold",
				} {
					spoofed := http.Header{header: {who, who}, "X-Consumer-Username": {who}, "X-Consumer-Groups": {"gold"}}
					openAI.Reset()
					require.Equal(t, name, send(t, s, c, sent{path: harness.ChatPath, header: spoofed}), "%s: %s", header, who)
					for _, got := range openAI.Requests() {
						require.NotRegexp(t, "(?i)x-consumer|x-semlb", fmt.Sprint(got.Header))
					}
					// Nor is who proves to be someone else.
					spoofed["Apikey"] = []string{"key-of-anna"}
					require.Equal(t, "anna", send(t, s, c, sent{path: harness.ChatPath, header: spoofed}))
				}
			}
		}
	}
}
