package admin

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

// RFC 9110, section 15.5.6: a 405 lists the methods that the path has.
func TestRefusedMethodsNameTheAllowedOnes(t *testing.T) {
	const reads, collection, element = "GET, HEAD, OPTIONS", "GET, HEAD, OPTIONS, POST", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
	writable := map[string]string{
		"/": reads, "/status": reads, "/tags/t": reads, "/plugins/enabled": reads,
		"/schemas/services": reads, "/schemas/plugins/ai-proxy-advanced": reads,
		"/schemas/plugins/validate": "OPTIONS, POST", "/schemas/services/validate": "OPTIONS, POST",
		"/services": collection, "/services/svc": element, "/services/svc/routes": collection, "/services/svc/routes/rt": element,
		"/routes/rt/service":              "GET, HEAD, OPTIONS, PATCH, PUT",
		"/consumer_groups/gold/consumers": "DELETE, GET, HEAD, OPTIONS, POST", "/consumer_groups/gold/consumers/alice": "DELETE, GET, HEAD, OPTIONS",
	}
	readOnly := map[string]string{"/status": reads, "/services": reads, "/services/svc": reads, "/consumer_groups/gold/consumers/alice": reads}
	seed := []load.Source{{Name: "kong.yaml", Data: []byte(seedDeck)}}
	requireAllowed(t, serve(t, Options{Seed: seed, Load: seedOptions()}), writable)
	cfg, _, err := load.Sources(seed, seedOptions())
	require.NoError(t, err)
	requireAllowed(t, serve(t, Options{Config: cfg}), readOnly)
}

// requireAllowed checks that the paths have exactly the methods of their Allow header.
func requireAllowed(t *testing.T, s *served, paths map[string]string) {
	t.Helper()
	for path, want := range paths {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			if method == "DELETE" && strings.Contains(want, method) {
				continue // what the other paths need
			}
			r := s.call(method, path, "")
			if strings.Contains(want, method) {
				require.NotEqual(t, 405, r.status, "%s %s", method, path)
				require.Empty(t, r.header.Get("Allow"), "%s %s", method, path)
				continue
			}
			require.Equal(t, 405, r.status, "%s %s", method, path)
			require.Equal(t, want, r.header.Get("Allow"), "%s %s", method, path)
		}
	}
}
