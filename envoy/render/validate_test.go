package render

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"semlb/envoy/parts"
	"semlb/test/tools"
)

// versions are those of Envoy that configurations are validated with: the oldest, the
// newest, and that of ENVOY_VERSION.
func versions() []string {
	all := []string{"1.36.4", "1.40.0", cmp.Or(os.Getenv("ENVOY_VERSION"), "1.40.0")}
	slices.Sort(all)
	return slices.Compact(all)
}

func validate(t *testing.T, version string, m proto.Message) {
	t.Helper()
	text, err := protojson.Marshal(m)
	require.NoError(t, err)
	tools.ValidateEnvoy(t, version, string(text))
}

func TestEnvoyAcceptsTheConfiguration(t *testing.T) {
	c := testConfig()
	c.TrustedCA = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(c.TrustedCA, []byte(testCA), 0o600))
	o := Options{NodeID: "semlb", Admin: parts.Endpoint{Host: "127.0.0.1", Port: 9901}}
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			validate(t, version, Static(parts.New(c), o))
			validate(t, version, Bootstrap(parts.New(c), o))

			replicated := c
			replicated.HopSocket = filepath.Join(t.TempDir(), "hop.sock")
			replicated.Replicas = []parts.Endpoint{{Host: "127.0.0.1", Port: 8082}, {Path: "/run/semlb/other.sock"}}
			validate(t, version, Bootstrap(parts.New(replicated), o))
			replicated.Service = parts.Endpoint{Host: "127.0.0.1", Port: 8081}
			replicated.Replicas = []parts.Endpoint{{Host: "semlb.test", Port: 8082}}
			validate(t, version, Bootstrap(parts.New(replicated), o))
			validate(t, version, Static(parts.New(replicated), o))
		})
	}
}

func testRoutes() []parts.Route {
	return []parts.Route{
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

func TestEnvoyAcceptsRoutes(t *testing.T) {
	c := testConfig()
	c.Upstreams, c.Routes = c.Upstreams[1:2], testRoutes()
	c.Routes = append(c.Routes, parts.Route{Name: "large", Paths: []string{`~/[a-z0-9._-]{1,400}(?:/[a-z]{1,400})?$`}})
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) { validate(t, version, Static(parts.New(c), Options{NodeID: "semlb"})) })
	}
}

// testCA is a certificate authority for configurations that Envoy reads but does not run.
const testCA = `-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUECgY28W5dOYlFRUpEVEbFOY1C3IwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKc2VtbGItdGVzdDAgFw0yNjExMjMxNDM1NDJaGA8yMTI2MTAz
MDE0MzU0MlowFTETMBEGA1UEAwwKc2VtbGItdGVzdDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABFT+8gjY8t3U2H49zG5Dn3NOtzxv0syF08Afs09eBJGt0Sx9+WR5
wz9BsxhzL29YPrHobGfAfM31SIZ3KTq5RCmjUzBRMB0GA1UdDgQWBBQ5u5P3pXo/
WMf2ASNVS7rlHJ0V2jAfBgNVHSMEGDAWgBQ5u5P3pXo/WMf2ASNVS7rlHJ0V2jAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIDb9bcPiACKbzTCg6abg
bd+cPyqQVyUlwooYfdC385ECAiA0mWlmmsrq+3cJltgzNyTLeOMyxKU+JNRv0Xnv
AsyWwg==
-----END CERTIFICATE-----
`
