package faults_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// What becomes of a path: the route of one consumer, which the client is not, another route,
// or none.
const (
	vip     = "vip"
	open    = "open"
	cafe    = "café"
	colon   = "colon"
	pattern = "pattern"
	refused = "refused"
)

// pathVariants are ways to write paths, each with the route that its normal form has.
var pathVariants = map[string][]string{
	vip: {
		"/vip", "/vip/", "/vip/x", "/vip?x=1", "/vip?", "/vip?x=//../open", `/vip?\..\open`, "/vip?%zz", "//vip", "///vip", "/vip//", "//vip//x",
		"/x//../vip", "/x/../vip", "/./vip", "/../vip", "/../../vip", "/a/b/../../vip", "/x/./.././vip", "/vip/.", "/vip/./x", "/x/%2e%2e/vip",
		"/x/%2E./vip", "/x/.%2e/vip", "/%2e/vip", "/x/%2e%2e//vip", "/%76ip", "/v%69p", "/vi%70", "/%76%69%70", "/x//..//%76ip", "//%76ip", "/vip.", "/vip..", "/vip...",
		"/vip;a=b", "/vip;/../vip", "/vip%2f", "/vip%2F..", "/vip%2f..%2fopen", "/vip%3fx", "/vip%23f", "/vip%20", "/vip%c0%af", "/vip:80", "/vip@x", "/vip/../vip", "/vip%2e",
	},
	open: {
		"/", "/open", "//", "///", "/.", "/..", "/%2e", "/x/..", "/vip/..", "/vip/../open", "/vip/%2e%2e/open", "/VIP", "/Vip", "/%56ip", "/vi", "/x/vip", "/a//b/..//..//x",
		"/.../vip", "/;/vip", "/%2fvip", "/%2Fvip", "/%252fvip", "/%2576ip", "/%25%37%36ip", "/%252576ip", "/%20vip", "/%3fvip", "/%3Bvip", "/x/..%2fvip", "/vip%2f/../open",
		"/%ef%bc%8fvip", "/%c0%afvip", "/%e2%85%b4ip", "/http://semlb.test/vip", "/semlb.test/vip", "/caf", "/caf%C3", "/re/abc/", "/re/abc/..", "/re/%2561", "/re/a%20b", "/re/A", "/a%3B", "/A%3ab",
	},
	cafe:    {"/caf%C3%A9", "/caf%c3%a9", "/caf%C3%a9/x", "//caf%c3%A9", "/%63af%c3%a9", "/x/../caf%c3%a9", "/caf%c3%a9?x=%zz"},
	colon:   {"/a%3Ab", "/a%3ab", "/%61%3ab", "/a%3a%62", "/x/../a%3ab/c", "//a%3Ab"},
	pattern: {"/re/abc", "//re//abc", "/re/%61bc", "/%72e/abc?x=1", "/x/../re/abc", "/x//../re/./abc", "/re/abc/../abc"},
	refused: {
		`/\vip`, `\vip`, `/x\..\vip`, `/vip\`, "/%5cvip", "/%5Cvip", "/vip%5c", "/x/%2e%2e%5cvip", "/x/..;/vip", "/x/.;/vip", "/x/..;a=b/vip", "/x/%2e%2e;/vip",
		"/%00vip", "/vip%00", "/vip%0a", "/vip%0d%0aX:y", "/%09vip", "/vip%7f", "/vip%1F", "/vip%", "/vip%7", "/vip%zz", "/%%76ip", "/%7%36ip", "/%u0076ip", "/vip%-1", "/vip#f", "/#/vip",
		"vip", "*", "?x", "..", "../vip",
	},
}

// guarded has a route of one consumer, one for all others, two whose paths have characters
// that are encoded, and one with a regular expression.
func (w *world) guarded() string {
	text := "_format_version: \"3.0\"\nroutes:\n"
	for name, path := range map[string]string{vip: "/vip", open: "/", cafe: "/caf%c3%a9", colon: "/a%3Ab", pattern: "~/re/[a-z]+$"} {
		text += fmt.Sprintf("- {name: %s, paths: [%q]}\n", name, path)
	}
	text += "consumers:\n- {username: only, keyauth_credentials: [{key: the-key}], acls: [{group: vips}]}\nplugins:\n" +
		"- {name: key-auth, route: vip}\n- {name: acl, route: vip, config: {allow: [vips]}}\n"
	for name, stub := range map[string]*harness.Stub{vip: w.code, open: w.cook1, cafe: w.cook2, colon: w.cook2, pattern: w.cook2} {
		text += fmt.Sprintf("- {name: ai-proxy-advanced, route: %s, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: %q, options: {upstream_url: %q}}}]}}\n",
			name, "model-of-"+name, stub.URL)
	}
	return text
}

func TestFault37Paths(t *testing.T) {
	r := begin(t, "variants of a path: slashes, dot segments, encodings once and twice, backslashes, parameters, letter case, other scripts, control characters, fragments, absolute URLs")
	w := newTargets(t)
	s := harness.Start(t, harness.Options{Config: w.guarded(), Flags: []string{"--envoy-concurrency", "1"}, Own: true})
	w.Gateway, w.log = s.Gateway, s.Log
	n, wrong := 0, []string{}
	for protocol, send := range w.rawClients() {
		for want, paths := range pathVariants {
			for _, path := range paths {
				if got := w.routeOf(send, path); got != want {
					wrong = append(wrong, fmt.Sprintf("%s %q: want %s, got %s", protocol, path, want, got))
				}
				n++
			}
		}
	}
	require.Empty(t, wrong)
	r.saw("%d paths over HTTP/1 and HTTP/2: each has the route of its normal form, or is refused; the provider's path is ours", n)
	for _, path := range []string{"http://semlb.test/vip", "http://semlb.test//vip", "http://other.test/x//../%76ip", "HTTP://semlb.test/vip", "http://semlb.test:80/vip"} {
		require.Equal(t, vip, w.routeOf(w.raw1, path), path)
	}
	for _, path := range []string{"http://semlb.test/", "http://semlb.test", "http://semlb.test/x/vip"} {
		require.Equal(t, open, w.routeOf(w.raw1, path), path)
	}
	for _, path := range pathVariants[vip] {
		require.Equal(t, http.StatusOK, w.raw1(append(request("POST", path, chat(cooking)), [2]string{"apikey", "the-key"}), chat(cooking)).Status, path)
		require.Equal(t, harness.ChatPath, w.code.Requests()[len(w.code.Requests())-1].URI[:len(harness.ChatPath)], path)
	}
	r.saw("%d of them are served to the consumer", len(pathVariants[vip]))
}

// routeOf returns the route that took a request to a path, as its answer shows.
func (w *world) routeOf(send func(fields, string) rawAnswer, path string) string {
	w.t.Helper()
	w.reset()
	body := chat(cooking)
	got := send(request("POST", path, body), body)
	switch {
	case got.Status == http.StatusUnauthorized:
		w.requireNothingSent()
		return vip
	case got.Status == http.StatusOK:
		return strings.TrimPrefix(got.Header.Get("X-Kong-Llm-Model"), "openai/model-of-")
	case got.Reset || slices.Contains([]int{0, http.StatusBadRequest, http.StatusNotFound}, got.Status):
		w.requireNothingSent()
		return refused
	default:
		return fmt.Sprint(got.Status, got.Body)
	}
}

// TestPathVariantsAreMany keeps the list from shrinking.
func TestPathVariantsAreMany(t *testing.T) {
	all := slices.Concat(slices.Collect(maps.Values(pathVariants))...)
	slices.Sort(all)
	require.GreaterOrEqual(t, len(slices.Compact(all)), 100)
}
