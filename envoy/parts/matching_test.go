package parts

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Kong's order: more kinds of criteria, then hosts before headers before paths, regular
// expressions before prefixes, longer paths. The answer to a request without TLS comes
// right after its route.
func TestRoutesKeepKongsOrder(t *testing.T) {
	var order []string
	for _, r := range New(Config{Routes: []Route{
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
	}}).Outer.KongRoutes {
		order = append(order, r.Name)
	}
	require.Equal(t, []string{
		"wild", "post", "host", "regex", "either", "long", "secure", "secure", "moved", "moved", "short", "any", "semlb.unmatched",
	}, order)
}
