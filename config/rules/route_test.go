package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

func TestRoutesThatEnvoyOrKongWouldRefuseAreFaults(t *testing.T) {
	for route, want := range map[string]string{
		`paths: ["~/re("]`:                        `paths[0]: got string "~/re(", want a regular expression of RE2: missing closing )`,
		`paths: [/fine, "~/x(?!y)"]`:              `paths[1]: got string "~/x(?!y)", want a regular expression of RE2: invalid or unsupported Perl syntax`,
		`paths: ["~/(a)\\1"]`:                     `paths[0]: got string "~/(a)\\1", want a regular expression of RE2: invalid escape sequence`,
		`paths: ["~/x{1001}"]`:                    `paths[0]: got string "~/x{1001}", want a regular expression of RE2: invalid repeat count`,
		`paths: ["~/(?:[a-z]{1000}){2}"]`:         `paths[0]: got string "~/(?:[a-z]{1000}){2}", want a regular expression of RE2: invalid repeat count`,
		`paths: ["~/\\p{L}{1,1000}"]`:             `paths[0]: got string "~/\\p{L}{1,1000}", want a regular expression that compiles to at most 10000 steps`,
		`paths: [v1]`:                             `paths[0]: got string "v1", want "/" or "~/" at its start`,
		`paths: ["~v1"]`:                          `paths[0]: got string "~v1", want "/" or "~/" at its start`,
		`paths: ["~.*"]`:                          `paths[0]: got string "~.*", want "/" or "~/" at its start`,
		`paths: ["/v1?x=1"]`:                      `paths[0]: got string "/v1?x=1", want a path of RFC 3986, or "~/" in front of a regular expression`,
		`paths: ["/v1/[0-9]+"]`:                   `paths[0]: got string "/v1/[0-9]+", want a path of RFC 3986, or "~/" in front of a regular expression`,
		`paths: ["/a%5cb"]`:                       `paths[0]: got string "/a%5cb", want a path that requests can have: no encoded backslash or control character, and no "..;"`,
		`paths: ["/50%"]`:                         `paths[0]: got string "/50%", want a path of RFC 3986, or "~/" in front of a regular expression`,
		`headers: {x: ["~*("]}`:                   `headers.x[0]: got string "~*(", want a regular expression of RE2: missing closing )`,
		`headers: {Host: [a.example]}`:            `headers.Host: got the header host, want the field hosts`,
		`headers: {"x y": [a]}`:                   `headers."x y": got an invalid header name`,
		`hosts: ["*"]`:                            `hosts[0]: got string "*", want a host, with "*" as its leftmost or rightmost label at most`,
		`hosts: ["a.*.example"]`:                  `hosts[0]: got string "a.*.example", want a host, with "*" as its leftmost or rightmost label at most`,
		`hosts: ["*a.example"]`:                   `hosts[0]: got string "*a.example", want a host, with "*" as its leftmost or rightmost label at most`,
		`hosts: ["*.example.*"]`:                  `hosts[0]: got string "*.example.*", want a host, with "*" as its leftmost or rightmost label at most`,
		`hosts: [ok.example, "http://a.example"]`: `hosts[1]: got string "http://a.example", want a host, with "*" as its leftmost or rightmost label at most`,
		`hosts: ["a..example"]`:                   `hosts[0]: got string "a..example", want a host, with "*" as its leftmost or rightmost label at most`,
		`hosts: ["[::g]"]`:                        `hosts[0]: got string "[::g]", want a host, with "*" as its leftmost or rightmost label at most`,
		`methods: [post]`:                         `methods[0]: got string "post", want a method in capital letters`,
		`https_redirect_status_code: 303`:         `https_redirect_status_code: got 303, want 301, 302, 307, 308 or 426`,
		`protocols: []`:                           `protocols: got 0 elements, want at least 1`,
		`protocols: [http, grpc]`:                 `protocols[1]: grpc is not supported yet: use http or https`,
		`protocols: [tcp]`:                        `protocols[0]: tcp is not supported yet: use http or https`,
		`protocols: [wss]`:                        `protocols[0]: wss is not supported yet: use http or https`,
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte("routes:\n- name: r\n  " + route)}}, load.Options{})
		require.EqualError(t, err, "kong.yaml:3: routes[0]."+want)
	}
}

func TestRoutesOfEveryShapeLoad(t *testing.T) {
	for _, route := range []string{
		`paths: [/, /v1/chat, "/a%20b/(c)!$&'*+,;=:@~", "~/a|/b", "~/(?<team>[a-z]+)/chat$", "~/(?i)chat"]`,
		`paths: ["~/[a-z]{1,1000}"]`,
		`hosts: [a.example, "*.a.example", "a.*", localhost, 127.0.0.1, "127.0.0.1:8000", "[::1]", "[::1]:8000", "A_b.example:443"]`,
		`methods: [GET, PURGE]`,
		`headers: {x-team: [red, "~*^blue.*"]}`,
		`{protocols: [https], https_redirect_status_code: 301}`,
	} {
		if !strings.HasPrefix(route, "{") {
			route = "{" + route + "}"
		}
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(fmt.Sprintf("routes: [{name: r, %s]", route[1:]))}}, load.Options{})
		require.NoError(t, err, route)
	}
}

// What is not known cannot be held against the rules of routes.
func TestRoutesWithVariablesAreCheckedWhenTheyAreKnown(t *testing.T) {
	text := "routes: [{name: r, hosts: ['${{ env \"DECK_HOST\" }}'], paths: ['${{ env \"DECK_PATH\" }}']}]"
	source := []load.Source{{Name: "kong.yaml", Data: []byte(text)}}
	_, _, err := load.Sources(source, load.Options{Env: configtest.Environment(map[string]string{"DECK_HOST": "a b", "DECK_PATH": "~/" + configtest.Marker + "("})})
	require.EqualError(t, err, `kong.yaml:1: routes[0].hosts[0]: got a string [redacted], want a host, with "*" as its leftmost or rightmost label at most
kong.yaml:1: routes[0].paths[0]: got a string [redacted], want a regular expression of RE2: missing closing )`)
	_, _, err = load.Sources(source, load.Options{AllowUnset: true})
	require.NoError(t, err)
	_, _, err = load.Convert(source, "deck", load.Options{})
	require.NoError(t, err)
}
