package scopes_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// guarded is a decK file with a route for each plugin that guards, below /NAME, and a
// global instance that serves them all.
const guarded = `_format_version: "3.0"
consumers:
- username: anna
  groups: [{name: gold}]
  acls: [{group: staff}]
  keyauth_credentials: [{key: key-of-anna}]
  basicauth_credentials: [{username: anna-1, password: "pass:of-anna"}]
  jwt_secrets: [{key: issuer-of-anna, secret: ` + secretOfCarol + `}]
- username: bob
  acls: [{group: guests}]
  keyauth_credentials: [{key: key-of-bob}]
- username: nobody
consumer_groups: [{name: gold}]
routes:
- {name: open, paths: [/open]}
- name: key
  paths: [/key]
  plugins: [{name: key-auth}]
- name: sdk
  paths: [/sdk]
  plugins: [{name: key-auth, config: {key_names: [Authorization, x-team-key], key_in_query: false, realm: llm}}]
- name: basic
  paths: [/basic]
  plugins: [{name: basic-auth, config: {realm: llm}}]
- name: token
  paths: [/token]
  plugins:
  - name: jwt
    config: {claims_to_verify: [exp, nbf], maximum_expiration: 7200, cookie_names: [session], uri_param_names: [token], run_on_preflight: false}
- name: acl
  paths: [/acl]
  plugins: [{name: key-auth}, {name: acl, config: {allow: [staff]}}]
- name: deny
  paths: [/deny]
  plugins: [{name: key-auth}, {name: acl, config: {deny: [gold], include_consumer_groups: true}}]
- name: either
  paths: [/either]
  plugins:
  - {name: key-auth, config: {anonymous: nobody}}
  - {name: basic-auth, config: {anonymous: nobody}}
- name: both
  paths: [/both]
  plugins: [{name: key-auth}, {name: basic-auth}]
- name: members
  paths: [/members]
  plugins:
  - {name: key-auth, config: {anonymous: nobody}}
  - {name: acl, config: {deny: [guests]}}
- name: closed
  paths: [/closed]
  plugins: [{name: request-termination, config: {status_code: 503, message: so long}}]
- name: page
  paths: [/page]
  plugins: [{name: request-termination, config: {status_code: 200, body: "<p>", content_type: text/html, trigger: x-stop}}]
- name: small
  paths: [/small]
  plugins: [{name: request-size-limiting, config: {allowed_payload_size: 200, size_unit: bytes}}]
- name: measured
  paths: [/measured]
  plugins: [{name: request-size-limiting, config: {allowed_payload_size: 2, size_unit: kilobytes, require_content_length: true}}]
- name: near
  paths: [/near]
  plugins: [{name: ip-restriction, config: {allow: [127.0.0.0/8, "::1"]}}]
- name: far
  paths: [/far]
  plugins: [{name: ip-restriction, config: {deny: [127.0.0.1], status: 423, message: not from here}}]
plugins:
- {name: ip-restriction, consumer: bob, config: {allow: [10.0.0.0/8]}}
- name: ai-proxy-advanced
  config:
    targets:
    - {route_type: llm/v1/chat, model: {provider: openai, name: m}, auth: {header_name: Authorization, header_value: Bearer of-the-target}}
`

// attempt is a request to a route of guarded, and what is answered.
type attempt struct {
	name, path string
	header     http.Header
	status     int
	// code is that of the error; empty for a request that is served.
	code string
}

func key(k string) http.Header { return http.Header{"Apikey": {k}} }

// attempts are requests with right, wrong and no credentials.
func attempts(t *testing.T) []attempt {
	claims := func(change map[string]any) string {
		all := map[string]any{"iss": "issuer-of-anna", "exp": time.Now().Add(time.Hour).Unix(), "nbf": time.Now().Add(-time.Minute).Unix()}
		for name, value := range change {
			all[name] = value
		}
		return token(t, secretOfCarol, all)
	}
	two := http.Header{"Apikey": {"key-of-anna", "key-of-anna"}}
	keyAndPassword := basic("anna-1", "pass:of-anna")
	keyAndPassword.Set("Apikey", "key-of-anna")
	return []attempt{
		{"anybody", "/open", nil, 200, ""},
		{"a wrong key where none is needed", "/open", key("wrong"), 401, "invalid_credential"},
		{"a key and more where none is needed", "/open?apikey=key-of-anna;x", nil, 401, "invalid_credential"},
		{"a key where none is needed", "/open?x;y&apikey=key-of-anna", nil, 200, ""},

		{"no key", "/key", nil, 401, "no_credential"},
		{"a wrong key", "/key", key("wrong"), 401, "invalid_credential"},
		{"an empty key", "/key", key(""), 401, "no_credential"},
		{"two keys", "/key", two, 401, "invalid_credential"},
		{"a key", "/key", key("key-of-anna"), 200, ""},
		{"a key in the query", "/key?apikey=key-of-anna", nil, 200, ""},
		{"a password for a key", "/key", basic("anna-1", "pass:of-anna"), 401, "no_credential"},
		{"an SDK's key", "/sdk", bearer("key-of-anna"), 200, ""},
		{"a bare key", "/sdk", http.Header{"Authorization": {"key-of-anna"}}, 200, ""},
		{"an SDK's wrong key", "/sdk", bearer("wrong"), 401, "invalid_credential"},
		{"the second name", "/sdk", http.Header{"X-Team-Key": {"key-of-anna"}}, 200, ""},
		{"a key where queries are not read", "/sdk?x-team-key=key-of-anna", nil, 401, "no_credential"},

		{"no password", "/basic", nil, 401, "no_credential"},
		{"a password", "/basic", basic("anna-1", "pass:of-anna"), 200, ""},
		{"a password for a proxy", "/basic", http.Header{"Proxy-Authorization": basic("anna-1", "pass:of-anna")["Authorization"]}, 200, ""},
		{"a wrong password", "/basic", basic("anna-1", "pass"), 401, "invalid_credential"},
		{"an unknown user", "/basic", basic("anna", "pass:of-anna"), 401, "invalid_credential"},

		{"no token", "/token", nil, 401, "no_credential"},
		{"a token", "/token", bearer(claims(nil)), 200, ""},
		{"a token in the query", "/token?token=" + claims(nil), nil, 200, ""},
		{"a token in a cookie", "/token", http.Header{"Cookie": {"a=b; session=" + claims(nil)}}, 200, ""},
		{"two tokens", "/token?token=" + claims(map[string]any{"n": 1}), bearer(claims(nil)), 401, "invalid_credential"},
		{"no end", "/token", bearer(claims(map[string]any{"exp": nil})), 401, "invalid_credential"},
		{"the end of yesterday", "/token", bearer(claims(map[string]any{"exp": 1})), 401, "invalid_credential"},
		{"an end too far", "/token", bearer(claims(map[string]any{"exp": time.Now().Add(9 * time.Hour).Unix()})), 401, "invalid_credential"},
		{"not valid yet", "/token", bearer(claims(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()})), 401, "invalid_credential"},
		{"an unknown issuer", "/token", bearer(claims(map[string]any{"iss": "x"})), 401, "invalid_credential"},
		{"a forged token", "/token", bearer(token(t, secretOfDave, map[string]any{"iss": "issuer-of-anna", "exp": 1 << 40, "nbf": 1})), 401, "invalid_credential"},
		{"no token at all", "/token", bearer("sk-of-a-provider"), 401, "invalid_credential"},

		{"a member", "/acl", key("key-of-anna"), 200, ""},
		{"a stranger", "/acl", key("key-of-bob"), 403, "address_not_allowed"}, // before the acl
		{"no member without a key", "/acl", nil, 401, "no_credential"},
		{"a denied group", "/deny", key("key-of-anna"), 403, "consumer_not_allowed"},

		{"either: nothing", "/either", nil, 200, ""},
		{"either: a wrong key", "/either", key("wrong"), 200, ""},
		{"either: a password", "/either", basic("anna-1", "pass:of-anna"), 200, ""},
		{"both: a key", "/both", key("key-of-anna"), 401, "no_credential"},
		{"both", "/both", keyAndPassword, 200, ""},
		{"an anonymous stranger", "/members", nil, 200, ""},

		{"a consumer elsewhere", "/key", key("key-of-bob"), 403, "address_not_allowed"},
		{"near", "/near", nil, 200, ""},
		{"far", "/far", nil, 423, "address_not_allowed"},
		{"terminated", "/closed", nil, 503, "request_terminated"},
		{"not terminated", "/page", nil, 200, ""},
		{"small enough", "/small", nil, 200, ""},
	}
}

// TestPluginsThatGuardAnswerAsKong sends right, wrong and no credentials. What is refused
// does not reach the provider, and no credential for Kong ever does.
func TestPluginsThatGuardAnswerAsKong(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	s := start(t, guarded, openAI)
	for _, p := range harness.Protocols() {
		c := harness.NewClient(t, p)
		for _, tt := range attempts(t) {
			t.Run(string(p)+"/"+tt.name, func(t *testing.T) {
				openAI.Reset()
				path, query, _ := strings.Cut(tt.path, "?")
				answer := s.Do(c, s.Request(s.Context(), path+harness.ChatPath+"?"+query, strings.NewReader(harness.Chat("hello")), tt.header))
				require.Equal(t, tt.status, answer.Status, answer.Body)
				if tt.code != "" {
					require.Equal(t, tt.code, answer.OpenAIError(t).Code)
					require.Empty(t, openAI.Requests())
					return
				}
				got := openAI.Only(t)
				require.Equal(t, []string{"Bearer of-the-target"}, got.Header["Authorization"])
				require.NotRegexp(t, "key-of|pass:of|issuer|eyJ|"+base64.StdEncoding.EncodeToString([]byte("anna-1")), fmt.Sprint(got.URI, got.Header))
			})
		}
	}
	require.NotRegexp(t, "key-of|pass:of|eyJ", s.Log())
}

// TestAnswersOfPluginsAreKongs checks what answers have beside a status.
func TestAnswersOfPluginsAreKongs(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	s := start(t, guarded, openAI)
	c := harness.NewClient(t, harness.HTTP1)
	post := func(path string, header http.Header, body string) harness.Answer {
		return s.Do(c, s.Request(s.Context(), path+harness.ChatPath, strings.NewReader(body), header))
	}
	for path, challenge := range map[string]string{
		"/key": "Key", "/sdk": `Key realm="llm"`, "/basic": `Basic realm="llm"`, "/token": "Bearer",
	} {
		answer := post(path, nil, harness.Chat("hello"))
		require.Equal(t, challenge, answer.Header.Get("WWW-Authenticate"), path)
		require.Equal(t, "authentication_error", answer.OpenAIError(t).Type)
	}
	require.Equal(t, "No API key found in request", post("/key", nil, "{}").OpenAIError(t).Message)
	require.Equal(t, "You cannot consume this service", post("/deny", key("key-of-anna"), "{}").OpenAIError(t).Message)
	require.Equal(t, "so long", post("/closed", nil, "{}").OpenAIError(t).Message)
	page := post("/page", http.Header{"X-Stop": {"1"}}, "{}")
	require.Equal(t, "200 text/html <p>", fmt.Sprint(page.Status, " ", page.Header.Get("Content-Type"), " ", page.Body))

	long := harness.Chat(strings.Repeat("hello ", 100))
	require.Equal(t, http.StatusRequestEntityTooLarge, post("/small", nil, long).Status)
	unmeasured := s.Request(s.Context(), "/small"+harness.ChatPath, io.MultiReader(strings.NewReader(long)))
	answer := s.Do(c, unmeasured)
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.Status, answer.Body)
	require.Equal(t, "Request size limit exceeded", answer.OpenAIError(t).Message)
	require.Empty(t, openAI.Requests())
}

// TestARefusedBodyIsNotTaken: the answer arrives although the body never does.
func TestARefusedBodyIsNotTaken(t *testing.T) {
	s := start(t, guarded, harness.NewStub(t, "openai"))
	body, never := io.Pipe()
	t.Cleanup(func() { _ = never.Close() })
	answer := s.Do(harness.NewClient(t, harness.HTTP2), s.Request(s.Context(), "/key"+harness.ChatPath, body))
	require.Equal(t, http.StatusUnauthorized, answer.Status, answer.Body)
}

// crossOrigin is a decK file with the plugin cors on some routes.
const crossOrigin = `_format_version: "3.0"
consumers:
- {username: anna, keyauth_credentials: [{key: key-of-anna}]}
routes:
- {name: open, paths: [/open]}
- name: any
  paths: [/any]
  plugins: [{name: cors}, {name: key-auth}]
- name: some
  paths: [/some]
  plugins:
  - name: cors
    config: {origins: ["https://app.example.com", "(.*\\.)?example\\.org"], headers: [Authorization], methods: [POST],
      exposed_headers: [X-Kong-LLM-Model], credentials: true, max_age: 60}
plugins:
- name: ai-proxy-advanced
  config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]}
`

// TestBrowsersMayDoWhatThePluginCORSSays: preflights are answered before any plugin wants a
// credential, and answers of providers and of semlb say who may read them.
func TestBrowsersMayDoWhatThePluginCORSSays(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	s := start(t, crossOrigin, openAI)
	c := harness.NewClient(t, harness.HTTP1)
	preflight := func(path, origin string) harness.Answer {
		r := s.Request(s.Context(), path+harness.ChatPath, nil, http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization,x-team"},
		})
		r.Method = http.MethodOptions
		return s.Do(c, r)
	}
	post := func(path, origin string, header http.Header) harness.Answer {
		return s.Do(c, s.Request(s.Context(), path+harness.ChatPath, strings.NewReader(harness.Chat("hello")), header, http.Header{"Origin": {origin}}))
	}
	const allowOrigin, allowHeaders, allowMethods = "Access-Control-Allow-Origin", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods"

	answer := preflight("/open", "https://evil.example.com")
	require.Equal(t, http.StatusNoContent, answer.Status)
	require.Empty(t, answer.Header.Get(allowOrigin))

	answer = preflight("/any", "https://evil.example.com")
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(t, "*", answer.Header.Get(allowOrigin))
	require.Equal(t, "authorization,x-team", answer.Header.Get(allowHeaders))
	require.Contains(t, answer.Header.Get(allowMethods), "POST")

	for origin, allowed := range map[string]bool{
		"https://app.example.com": true, "https://example.org": true, "http://a.example.org:8080": true,
		"https://evil.example.com": false, "https://example.org.evil.com": false, "http://app.example.com": false,
	} {
		want := map[bool]string{true: origin}[allowed]
		answer = preflight("/some", origin)
		require.Equal(t, http.StatusOK, answer.Status)
		require.Equal(t, want, answer.Header.Get(allowOrigin), origin)
		require.Equal(t, "Authorization", answer.Header.Get(allowHeaders))
		require.Equal(t, "POST", answer.Header.Get(allowMethods))
		require.Equal(t, "60", answer.Header.Get("Access-Control-Max-Age"))

		// A provider's own word does not count.
		openAI.Do(harness.Status(http.StatusOK, http.Header{allowOrigin: {"*"}, "Vary": {"Accept"}}))
		answer = post("/some", origin, nil)
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Equal(t, want, strings.Join(answer.Header.Values(allowOrigin), " "), origin)
		require.Equal(t, "true", answer.Header.Get("Access-Control-Allow-Credentials"))
		require.Equal(t, "X-Kong-LLM-Model", answer.Header.Get("Access-Control-Expose-Headers"))
		require.Equal(t, "Accept,Origin", answer.Header.Get("Vary"))
	}
	answer = post("/any", "https://evil.example.com", nil)
	require.Equal(t, http.StatusUnauthorized, answer.Status)
	require.Equal(t, "*", answer.Header.Get(allowOrigin))
	answer = post("/open", "https://app.example.com", nil)
	require.Equal(t, "*", answer.Header.Get(allowOrigin), "without the plugin, what the provider says")
	require.NotContains(t, fmt.Sprint(openAI.Requests()), "X-Semlb")
}

// TestAReloadBringsAPluginThatGuards into force for the next request, and is refused where
// the plugin is not served.
func TestAReloadBringsAPluginThatGuards(t *testing.T) {
	file := harness.WriteConfig(t, "plugins: []\n")
	s := start(t, "consumers: [{username: anna, keyauth_credentials: [{key: key-of-anna}]}]\nplugins:\n"+instance("m", "enabled: true"),
		harness.NewStub(t, "openai"), "-c", file)
	c := harness.NewClient(t, harness.HTTP1)
	require.Equal(t, "m", send(t, s, c, sent{path: harness.ChatPath}))
	replace(t, s, file, "plugins: [{name: key-auth}]\n")
	require.Equal(t, "401", send(t, s, c, sent{path: harness.ChatPath}))
	require.Equal(t, "m", send(t, s, c, sent{path: harness.ChatPath, header: key("key-of-anna")}))

	require.NoError(t, os.WriteFile(file, []byte("plugins: [{name: oauth2}]\n"), 0o600))
	require.Eventually(t, func() bool { return strings.Contains(s.Log(), "--ignore-plugin oauth2") }, time.Minute, 50*time.Millisecond)
	require.Equal(t, "401", send(t, s, c, sent{path: harness.ChatPath}), "the configuration before stays in force")
}
