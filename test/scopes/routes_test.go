package scopes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// instance is a plugin bound to a scope, whose target's model is called name.
func instance(name, scope string) string {
	return fmt.Sprintf("- {name: ai-proxy-advanced, %s, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: %s}}]}}\n", scope, name)
}

// kongRoutes is a decK file with routes, each with an instance that is called like it.
func kongRoutes(routes map[string]string) string {
	text, plugins := "_format_version: \"3.0\"\nroutes:\n", "plugins:\n"
	for name, match := range routes {
		text += fmt.Sprintf("- {name: %s, %s}\n", name, match)
		plugins += instance(name, "route: "+name)
	}
	return text + plugins
}

// sent is a request that a route matches by more than its path.
type sent struct {
	method, host, path string
	header             http.Header
}

// send sends the prompt and returns which route served it, or the status.
func send(t *testing.T, s *harness.Semlb, c *http.Client, what sent) string {
	t.Helper()
	r := s.Request(t.Context(), what.path, strings.NewReader(harness.Chat(prompt)), what.header)
	if what.method != "" {
		r.Method = what.method
	}
	r.Host = what.host
	answer := s.Do(c, r)
	if answer.Status != http.StatusOK {
		return fmt.Sprint(answer.Status)
	}
	return strings.TrimPrefix(answer.Header.Get("X-Kong-Llm-Model"), "openai/")
}

// TestRoutesMatchLikeKongs covers every criterion of a route, alone and
// against others.
func TestRoutesMatchLikeKongs(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	s := start(t, kongRoutes(map[string]string{
		"short":     "paths: [/v1]",
		"long":      "paths: [/v1/chat]",
		"exact":     `paths: ["~/exact$"]`,
		"either":    `paths: ["~/left|/right"]`,
		"team":      `paths: ["~/teams/(?<team>[a-z]+)/chat$"]`,
		"low":       `paths: ["~/order/[a-z]+"], regex_priority: 1`,
		"high":      `paths: ["~/order/x"], regex_priority: 9`,
		"plain":     "paths: [/order/x/longer/than/any]",
		"named":     "hosts: [Named.example]",
		"suffix":    `hosts: ["*.wild.example"]`,
		"prefix":    `hosts: ["front.*"]`,
		"port":      `hosts: ["port.example:8443"], paths: [/port]`,
		"both":      "hosts: [named.example], paths: [/v1]",
		"exclusive": `hosts: ["*.wild.example"], paths: ["/only"]`,
		"fetched":   "paths: [/methods], methods: [PUT, PATCH]",
		"posted":    "paths: [/methods], methods: [POST]",
		"red":       "paths: [/teams], headers: {x-team: [red, green]}",
		"blue":      `paths: [/teams], headers: {x-team: ["~*^b.+e$"]}`,
	}), openAI)
	team := func(name string) http.Header { return http.Header{"X-Team": {name}} }
	for _, p := range harness.Protocols() {
		c := harness.NewClient(t, p)
		for _, tt := range []struct {
			sent
			want string
		}{
			{sent{path: "/v1"}, "short"},
			{sent{path: "/v1/other?x=1"}, "short"},
			{sent{path: "/v1/chat/completions"}, "long"},
			{sent{path: "/nothing"}, "404"},
			{sent{path: "/V1"}, "404"},
			{sent{path: "/exact"}, "exact"},
			{sent{path: "/exact?q=1"}, "exact"},
			{sent{path: "/exact/more"}, "404"},
			{sent{path: "/in/exact"}, "404"},
			{sent{path: "/left/x"}, "either"},
			{sent{path: "/right/x"}, "either"},
			{sent{path: "/lef"}, "404"},
			{sent{path: "/x/right"}, "404"},
			{sent{path: "/teams/red/chat"}, "team"},
			{sent{path: "/teams/RED/chat"}, "404"},
			{sent{path: "/order/x"}, "high"},
			{sent{path: "/order/y"}, "low"},
			{sent{path: "/order/x/longer/than/any"}, "high"},
			{sent{host: "named.example", path: "/"}, "named"},
			{sent{host: "NAMED.example:8000", path: "/"}, "named"},
			{sent{host: "named.example.org", path: "/"}, "404"},
			{sent{host: "not-named.example", path: "/"}, "404"},
			{sent{host: "named.example", path: "/v1/chat"}, "both"},
			{sent{host: "other.example", path: "/v1/chat"}, "long"},
			{sent{host: "a.wild.example", path: "/"}, "suffix"},
			{sent{host: "a.b.wild.example:8000", path: "/"}, "suffix"},
			{sent{host: "wild.example", path: "/"}, "404"},
			{sent{host: "a.wildxexample", path: "/"}, "404"},
			{sent{host: "a.wild.example", path: "/only/x"}, "exclusive"},
			{sent{host: "front.example", path: "/only"}, "prefix"},
			{sent{host: "front.example:8000", path: "/"}, "prefix"},
			{sent{host: "front", path: "/"}, "404"},
			{sent{host: "port.example:8443", path: "/port"}, "port"},
			{sent{host: "port.example:8444", path: "/port"}, "404"},
			{sent{host: "port.example", path: "/port"}, "404"},
			{sent{path: "/methods"}, "posted"},
			{sent{method: "PUT", path: "/methods"}, "405"}, // the route matches, but no provider gets a PUT
			{sent{method: "PATCH", path: "/methods"}, "405"},
			{sent{method: "DELETE", path: "/methods"}, "404"},
			{sent{path: "/teams", header: team("red")}, "red"},
			{sent{path: "/teams", header: team("GREEN")}, "red"},
			{sent{path: "/teams", header: team("blue")}, "blue"},
			{sent{path: "/teams", header: team("not blue")}, "404"},
			{sent{path: "/teams"}, "404"},
		} {
			require.Equal(t, tt.want, send(t, s, c, tt.sent), "%s %+v", p, tt.sent)
		}
	}
}

// TestWildcardsThatOverlapShareTheirRequests: a host that both kinds of wildcards take
// reaches the routes of either.
func TestWildcardsThatOverlapShareTheirRequests(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	s := start(t, kongRoutes(map[string]string{
		"suffix": `hosts: ["*.example"], paths: [/suffix]`, "prefix": `hosts: ["api.*"], paths: [/prefix]`,
	}), openAI)
	c := harness.NewClient(t, harness.HTTP1)
	for _, name := range []string{"suffix", "prefix"} {
		require.Equal(t, name, send(t, s, c, sent{host: "api.example", path: "/" + name}))
	}
}

// TestARouteForHTTPSRequiresTLS: semlb's listener has none, so the proxy that
// terminates TLS sets X-Forwarded-Proto. No other header of a client has that effect.
func TestARouteForHTTPSRequiresTLS(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	s := start(t, kongRoutes(map[string]string{
		"secure": "paths: [/secure], protocols: [https]",
		"moved":  "paths: [/moved], protocols: [https], https_redirect_status_code: 308",
		"plain":  "paths: [/], protocols: [http]",
		"either": "paths: [/either]",
	}), openAI)
	tls := http.Header{"X-Forwarded-Proto": {"https"}}
	for _, p := range harness.Protocols() {
		c := harness.NewClient(t, p)
		for path, want := range map[string]string{"/secure": "secure", "/moved": "moved", "/either": "either", "/other": "plain"} {
			openAI.Reset()
			require.Equal(t, want, send(t, s, c, sent{path: path, header: tls}))
			for name := range openAI.Only(t).Header {
				require.NotRegexp(t, "(?i)forwarded|semlb", name)
			}
		}
		openAI.Reset()
		for _, header := range []http.Header{
			nil,
			{"X-Forwarded-Proto": {"http"}},
			{"X-Semlb-Scheme": {"https"}},
			{"x-semlb-scheme": {"https"}, "X-Forwarded-Proto": {"http"}},
			{"X-Forwarded-Ssl": {"on"}, "Forwarded": {"proto=https"}},
		} {
			answer := s.Do(c, s.Request(t.Context(), "/secure/x", strings.NewReader(harness.Chat(prompt)), header))
			require.Equal(t, http.StatusUpgradeRequired, answer.Status, "%v", header)
			require.Equal(t, "https_required", answer.OpenAIError(t).Code)
			answer = s.Do(c, s.Request(t.Context(), "/moved/x?y=1", strings.NewReader(harness.Chat(prompt)), header))
			require.Equal(t, http.StatusPermanentRedirect, answer.Status)
			require.Regexp(t, `^https://127\.0\.0\.1(:\d+)?/moved/x\?y=1$`, answer.Header.Get("Location"))
		}
		require.Empty(t, openAI.Requests())
		require.Equal(t, "either", send(t, s, c, sent{path: "/either"}))
		require.Equal(t, "plain", send(t, s, c, sent{path: "/other"}))
	}
}

// TestADisabledServiceIsNotServed: its routes take nothing, so that the next one that
// matches does, or none; also where it is the only one, or is called by its id.
func TestADisabledServiceIsNotServed(t *testing.T) {
	openAI := harness.NewStub(t, "openai")
	const id = "1c1c1c1c-0000-4000-8000-000000000001"
	off := "_format_version: \"3.0\"\nservices:\n- {name: off, id: " + id + ", enabled: false, url: http://localhost}\n"
	routes := "routes:\n- {name: narrow, paths: [/in/narrow], service: {id: " + id + "}}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"the only one", off + routes + "plugins:\n" + instance("everything", "enabled: true"), "404"},
		{"another one", off + "- {name: on, url: http://localhost}\n" + routes + "- {name: wide, paths: [/in], service: {name: on}}\n" +
			"plugins:\n" + instance("wide", "service: on") + instance("narrow", "service: off"), "wide"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tt.text, openAI)
			c := harness.NewClient(t, harness.HTTP1)
			require.Equal(t, tt.want, send(t, s, c, sent{path: "/in/narrow"}))
		})
	}
}
