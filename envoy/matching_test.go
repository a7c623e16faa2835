package envoy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func testRoutes() []Route {
	return []Route{
		{Name: "any"},
		{Name: "short", Paths: []string{"/v1"}},
		{Name: "long", Paths: []string{"/v1/chat"}},
		{Name: "regex", Paths: []string{`~/(?<team>[a-z]+)/chat$`}, RegexPriority: 5},
		{Name: "either", Paths: []string{`~/a|/b`}},
		{Name: "host", Hosts: []string{"ai.example.com", "ai.example.com:8443"}},
		{Name: "wild", Hosts: []string{"*.example.com", "example.*"}, Paths: []string{"/v1"}},
		{Name: "post", Methods: []string{"POST", "PUT"}, Headers: map[string][]string{"X-Team": {"red", "~*blue.*"}}},
		{Name: "secure", Paths: []string{"/secure"}, PlainHTTPStatus: 426},
		{Name: "moved", Paths: []string{"/moved"}, PlainHTTPStatus: 308},
	}
}

func TestRoutesAreGolden(t *testing.T) {
	golden(t, "routes-outer", outerRouteConfig(limitsFor(1<<20), testRoutes()))
}

// Kong's order: more kinds of things asked for, then hosts before headers before
// paths, regular expressions before prefixes, longer paths. What did not come over TLS
// is answered right behind the route it came to.
func TestRoutesKeepKongsOrder(t *testing.T) {
	var order []string
	for _, r := range outerRouteConfig(limitsFor(1<<20), testRoutes()).VirtualHosts[0].Routes {
		order = append(order, r.Name)
	}
	require.Equal(t, []string{
		"wild", "post", "host", "regex", "either", "long", "secure", "secure", "moved", "moved", "short", "any", "semlb.unmatched",
	}, order)
}

func testCredentials(dir string) Credentials {
	return Credentials{
		APIKeys: []APIKey{{Consumer: "ann", Key: "key-of-ann"}},
		Users:   []User{{Name: "bob", Password: "password-of-bob"}},
		Issuers: []Issuer{{Name: "carol", KeySetFile: filepath.Join(dir, "carol.json")}, {Name: "dave", KeySetFile: filepath.Join(dir, "carol.json")}},
	}
}

func TestCredentialFiltersAreGolden(t *testing.T) {
	for _, filter := range testCredentials("/run/semlb").filters() {
		golden(t, "credentials-"+strings.TrimPrefix(filter.Name, "semlb."), filter)
	}
}

func TestEnvoyTakesRoutesAndCredentials(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "carol.json"),
		[]byte(`{"keys":[{"kty":"oct","alg":"HS256","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}]}`), 0o600))
	c := testConfig()
	c.Upstreams, c.Static = c.Upstreams[1:2], true
	c.Routes, c.Credentials = testRoutes(), testCredentials(dir)
	c.Routes = append(c.Routes, Route{Name: "large", Paths: []string{`~/[a-z0-9._-]{1,400}(?:/[a-z]{1,400})?$`}})
	o := BootstrapOptions{NodeID: "semlb", Service: c.Service}
	for _, version := range []string{"1.36.4", "1.40.0"} {
		t.Run(version, func(t *testing.T) { validate(t, version, StaticBootstrap(o, NewResources(c))) })
	}
}
