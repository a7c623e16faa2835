package e2e_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestTheClientsRequestIDIsKept to the provider of each attempt, in logs and in the answer,
// unless a log could not hold it.
func TestTheClientsRequestIDIsKept(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	for i, p := range harness.Protocols() {
		client := harness.NewClient(t, p)
		own := fmt.Sprintf(`clients-own-%d_"{}`, i)
		for id, kept := range map[string]bool{
			own: true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "with space": false, "a\x80z": false, "é": false, "": false,
		} {
			reset(all...)
			all[0].Do(harness.Status(429))
			answer := s.Post(client, harness.Chat(prompts()[0]), http.Header{"X-Request-Id": {id}})
			require.Equal(t, http.StatusOK, answer.Status, answer.Body)
			got := answer.Header.Get("X-Request-Id")
			require.Equal(t, kept, got == id, "%q became %q", id, got)
			require.NotEmpty(t, got)
			require.Equal(t, got, answer.Header.Get("X-Kong-Request-Id"))
			for _, stub := range all {
				require.Equal(t, []string{got}, stub.Only(t).Header["X-Request-Id"])
			}
		}
		refused := s.Post(client, `{}`, http.Header{"X-Request-Id": {own}})
		require.Equal(t, own, refused.Header.Get("X-Request-Id"))
		require.Contains(t, s.Log(), strconv.Quote(own))
	}
}

// TestAProvidersOwnIDIsKeptToo in a header of its own and in the log. It is the answer's
// x-request-id where the client sent none.
func TestAProvidersOwnIDIsKeptToo(t *testing.T) {
	t.Parallel()
	all := stubs(t, 2)
	s := harness.Start(t, harness.Options{Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urlsOf(all...))))})
	client := harness.NewClient(t, harness.HTTP1)
	const theirs = "X-Upstream-Request-Id"
	all[0].Do(harness.Status(http.StatusTooManyRequests, http.Header{"X-Request-Id": {"req_first"}}))
	for _, tt := range []struct {
		clients, providers, id string // id "" is one that Envoy made
		own                    []string
	}{
		{clients: "mine", providers: "req_second", id: "mine", own: []string{"req_second"}},
		{clients: "", providers: "req_second", id: "req_second", own: []string{"req_second"}},
		{clients: "not valid", providers: "req_second", id: "req_second", own: []string{"req_second"}},
		{clients: "mine", providers: "", id: "mine"},
		{clients: "", providers: ""},
	} {
		sent, answered := http.Header{}, http.Header{theirs: {"spoofed"}}
		if tt.clients != "" {
			sent["X-Request-Id"] = []string{tt.clients}
		}
		if tt.providers != "" {
			answered["X-Request-Id"] = []string{tt.providers}
		}
		all[1].Do(harness.Status(http.StatusOK, answered))
		answer := s.Post(client, harness.Chat(prompts()[0]), sent)
		require.Equal(t, tt.own, answer.Header[theirs], "%+v", tt)
		if tt.id == "" {
			tt.id = answer.Header.Get("X-Kong-Request-Id")
			require.NotEmpty(t, tt.id)
		}
		require.Equal(t, []string{tt.id}, answer.Header["X-Request-Id"], "%+v", tt)
	}
	for _, line := range []string{"msg=attempt request_id=mine", "msg=request request_id=mine"} {
		awaitLine(t, s, line, "provider_request_id=req_second")
	}
	awaitLine(t, s, "msg=attempt request_id=mine", "status=429", "provider_request_id=req_first")

	// Attempts are logged through Envoy's access log, which takes no text that is not UTF-8.
	all[1].Do(harness.Status(http.StatusOK, http.Header{"X-Request-Id": {"\xff" + strings.Repeat("x", 500)}}))
	require.Equal(t, http.StatusOK, s.Post(client, harness.Chat(prompts()[0]), http.Header{"X-Request-Id": {"odd"}}).Status)
	awaitLine(t, s, "msg=attempt request_id=odd", "status=200", strings.Repeat("x", 100))
	require.NotContains(t, s.Log(), strings.Repeat("x", 200))
}

// awaitLine waits until a line of the log has all the texts.
func awaitLine(t *testing.T, s *harness.Semlb, texts ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for line := range strings.Lines(s.Log()) {
			missing := 0
			for _, text := range texts {
				if !strings.Contains(line, text) {
					missing++
				}
			}
			if missing == 0 {
				return true
			}
		}
		return false
	}, time.Minute, 10*time.Millisecond, "%q", texts)
}

// TestEveryAnswerHasTheRequestID, whether semlb makes it or Envoy.
func TestEveryAnswerHasTheRequestID(t *testing.T) {
	t.Parallel()
	stub := harness.NewStub(t, "provider")
	s := harness.Start(t, harness.Options{Config: fmt.Sprintf(`_format_version: "3.0"
consumers: [{username: ann, keyauth_credentials: [{key: key-of-ann}]}]
services:
- name: llm
  url: http://example.com
  routes:
  - {name: open, paths: [/open], protocols: [http, https]}
  - {name: guarded, paths: [/guarded], protocols: [http, https]}
  - {name: tls, paths: [/tls], protocols: [https]}
  - {name: moved, paths: [/moved], protocols: [https], https_redirect_status_code: 308}
- {name: other, url: http://example.com, routes: [{name: other, paths: [/other], protocols: [http, https]}]}
plugins:
- {name: key-auth, route: guarded}
- name: ai-proxy-advanced
  service: llm
  config:
    max_request_body_size: 1000
    targets:
    - {route_type: llm/v1/chat, model: {provider: openai, name: gpt-4o, options: {upstream_url: %q}}}
`, stub.URL)})
	for _, tt := range []struct {
		name, method, path, headers, body string
		status                            int
	}{
		{"no route", "POST", "/nothing", "", "{}", 404},
		{"no plugin", "POST", "/other", "", "{}", 404},
		{"no credential", "POST", "/guarded", "", harness.Chat("hi"), 401},
		{"a wrong key", "POST", "/open", "apikey: wrong", harness.Chat("hi"), 401},
		{"no TLS", "POST", "/tls", "", harness.Chat("hi"), 426},
		{"no TLS, redirected", "POST", "/moved", "", harness.Chat("hi"), 308},
		{"too large", "POST", "/open", "", strings.Repeat("x", 2000), 413},
		{"not JSON", "POST", "/open", "", "{", 400},
		{"models", "GET", "/open/v1/models", "", "", 200},
		{"a preflight", "OPTIONS", "/open", "Origin: https://page\r\nAccess-Control-Request-Method: POST", "", 204},
		{"an upgrade", "GET", "/open", "Connection: Upgrade\r\nUpgrade: websocket", "", 403},
		{"a fragment", "GET", "/open#f", "", "", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: semlb\r\nContent-Type: application/json\r\nX-Request-Id: mine\r\nContent-Length: %d\r\n",
				tt.method, tt.path, len(tt.body))
			if tt.headers != "" {
				head += tt.headers + "\r\n"
			}
			answer := exchange(t, strings.TrimPrefix(s.URL, "http://"), head+"\r\n"+tt.body)
			require.Equal(t, tt.status, answer.Status, answer.Body)
			require.Equal(t, []string{"mine"}, answer.Header["X-Request-Id"])
			require.Equal(t, []string{"mine"}, answer.Header["X-Kong-Request-Id"])
		})
	}
	require.Empty(t, stub.Requests())
}
