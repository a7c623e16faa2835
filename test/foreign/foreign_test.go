package foreign_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/test/harness"
)

// places are the requests of the page's routes, with the scope that serves each.
func places() map[string]string {
	return map[string]string{
		"support.example.com/":       "route: support",
		"support.example.com/chat":   "route: support",
		"/chat":                      "route: chat",
		"/tickets":                   "route: tickets, service: helpdesk",
		"/search":                    "route: search",
		"elsewhere.example.com/chat": "route: chat",
	}
}

const (
	dora = "consumer: dora"
	gold = "consumer_group: Gold Users"
)

// claims are all headers with which a client may try to set its consumer, its route, or
// the plan of its request.
func claims() http.Header {
	h := http.Header{}
	for _, name := range envoy.InternalHeaders() {
		h.Set(name, "spoofed")
	}
	for _, name := range []string{envoy.HeaderConsumerName, envoy.HeaderConsumerID, envoy.HeaderConsumerCustom} {
		h.Set(name, "dora")
	}
	h.Set(envoy.HeaderConsumerGroups, "Gold Users")
	h.Set(envoy.MetadataConsumer, envoy.FromHeaders)
	h.Set(envoy.MetadataRoute, "chat")
	h.Set(envoy.MetadataService, "helpdesk")
	h.Set(envoy.RoleKey, envoy.RoleInner)
	return h
}

// TestListenersSetTheRoute has routes by name, by virtual host, by metadata and by gRPC
// metadata. On each of them the first target fails and the second one answers.
func TestListenersSetTheRoute(t *testing.T) {
	var scopes []string
	for _, scope := range places() {
		scopes = append(scopes, scope)
	}
	w := newWorld(t, unique(scopes)...)
	for _, listener := range []string{plain, lax} {
		for where, scope := range places() {
			t.Run(listener+" "+where, func(t *testing.T) {
				w := w.in(t)
				w.requireServed(scope, w.ask(listener, where, nil))
				w.requireServed(scope, w.ask(listener, where, claims()))
			})
		}
		t.Run(listener+" nowhere", func(t *testing.T) {
			w := w.in(t)
			w.requireRefused(http.StatusNotFound, "no_plugin", w.ask(listener, "/", nil))
			w.requireRefused(http.StatusNotFound, "no_plugin", w.ask(listener, "/", claims()))
		})
	}
}

// TestTrustedFiltersSetTheConsumer has listeners with a filter that accepts Dora's key,
// and passes her name in headers or in metadata.
func TestTrustedFiltersSetTheConsumer(t *testing.T) {
	w := newWorld(t, dora, "route: chat", "route: tickets, service: helpdesk")
	key := http.Header{"Apikey": {"key-of-dora"}}
	for _, listener := range []string{headers, metadata} {
		t.Run(listener, func(t *testing.T) {
			w := w.in(t)
			w.requireServed(dora, w.ask(listener, "/", key))
			w.requireServed(dora, w.ask(listener, "/chat", key))
			w.requireServed("route: tickets, service: helpdesk", w.ask(listener, "/tickets", key))
			for name, stranger := range map[string]http.Header{
				"anonymous": nil, "another key": {"Apikey": {"unknown-key"}}, "claims": claims(),
			} {
				t.Run(name, func(t *testing.T) {
					w := w.in(t)
					w.requireRefused(http.StatusUnauthorized, "no_consumer", w.ask(listener, "/", stranger))
					w.requireServed("route: chat", w.ask(listener, "/chat", stranger))
				})
			}
		})
	}
}

func TestGroupsMayHaveSpaces(t *testing.T) {
	w := newWorld(t, gold, "consumer_group: night shift")
	for _, listener := range []string{headers, metadata} {
		t.Run(listener, func(t *testing.T) {
			w := w.in(t)
			w.requireServed(gold, w.ask(listener, "/", http.Header{"Apikey": {"key-of-dora"}}))
			w.requireRefused(http.StatusUnauthorized, "no_consumer", w.ask(listener, "/", claims()))
		})
	}
}

// TestListenersWithoutATrustedFilterHaveNoConsumer sends every claim to the listeners that
// trust no filter, also to the one that does not drop clients' headers.
func TestListenersWithoutATrustedFilterHaveNoConsumer(t *testing.T) {
	w := newWorld(t, dora, gold)
	sent := claims()
	sent.Set("Apikey", "key-of-dora")
	for _, listener := range []string{plain, lax} {
		t.Run(listener, func(t *testing.T) {
			w := w.in(t)
			w.requireRefused(http.StatusUnauthorized, "no_consumer", w.ask(listener, "/", sent))
			w.requireRefused(http.StatusUnauthorized, "no_consumer", w.ask(listener, "/chat", sent))
		})
	}
	require.Equal(t, http.StatusOK, w.ask(headers, "/", sent).Status, "claims beside a valid key are ignored")
}

// unique sorts a list and removes duplicates.
func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// TestNamedGroupsOfKongsRoutes has instances whose models are named by the path. The
// listener names the first route, and nothing names the other.
func TestNamedGroupsOfKongsRoutes(t *testing.T) {
	w := newWorldOf(t, `_format_version: "3.0"
routes:
- {name: chat, paths: ["~/chat/(?<version>v[0-9])/"]}
- {name: unnamed, paths: ["~/(?<version>[a-z]+)/v1/"]}
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: priority, failover_criteria: [error, http_429, non_idempotent]}
    targets:
    - {route_type: llm/v1/chat, weight: 75, model: {provider: openai, name: broken, options: {upstream_url: "http://failing"}}}
    - {route_type: llm/v1/chat, weight: 25, model: {provider: openai, name: model-$(uri_captures.version), options: {upstream_url: "http://well"}}}
`)
	for where, model := range map[string]string{
		"/chat": "openai/model-v1", "//chat": "openai/model-v1", "/x/..//%63hat": "openai/model-v1", "/elsewhere": "openai/model-elsewhere", "/x/..//%65lsewhere": "openai/model-elsewhere",
	} {
		answer := w.ask(plain, where, claims())
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Equal(t, model, answer.Header.Get("X-Kong-Llm-Model"))
	}
}

// TestAProvidersOwnIDReachesTheClient without any optional part of the listener.
func TestAProvidersOwnIDReachesTheClient(t *testing.T) {
	w := newWorld(t, "route: chat")
	w.well.Do(harness.Status(http.StatusOK, http.Header{"X-Request-Id": {"req_of_the_provider"}}))
	answer := w.ask(plain, "/chat", http.Header{"X-Semlb-Request-Id": {"spoofed"}})
	require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(t, []string{"req_of_the_provider"}, answer.Header["X-Upstream-Request-Id"])
	require.NotContains(t, w.well.Only(t).Header, "X-Semlb-Request-Id")
}
