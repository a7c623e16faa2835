package render

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/envoy/envoytest"
	"semlb/envoy/parts"
)

func testConfig() parts.Config {
	return parts.Config{
		ListenHost: "127.0.0.1", ListenPort: 8000,
		Service:        parts.Endpoint{Path: "/run/semlb/grpc.sock"},
		BodyLimit:      1 << 20,
		Routes:         []parts.Route{{}},
		IdleTimeouts:   []time.Duration{30 * time.Second, time.Minute, 30 * time.Second},
		TrustedCA:      "/etc/ssl/certs/ca-certificates.crt",
		DecisionBudget: time.Second,
		Upstreams: []parts.Upstream{
			{Scheme: "https", Host: "api.openai.com", Port: 443, ConnectTimeout: time.Minute, WriteTimeout: time.Minute},
			{Scheme: "http", Host: "127.0.0.1", Port: 9000, ConnectTimeout: time.Second, WriteTimeout: time.Second},
			{Scheme: "https", Host: "10.0.0.7", Port: 8443, ConnectTimeout: time.Second, WriteTimeout: time.Second},
			{Scheme: "https", Host: "api.openai.com", Port: 443, ConnectTimeout: time.Minute, WriteTimeout: time.Minute},
		},
	}
}

func TestResourcesAreGolden(t *testing.T) {
	r := NewResources(parts.New(testConfig()))
	envoytest.Golden(t, "listener-outer", r.Listeners[0])
	envoytest.Golden(t, "listener-inner", r.Listeners[1])
	envoytest.Golden(t, "routes-outer-all", r.Routes[0])
	envoytest.Golden(t, "routes-inner", r.Routes[1])
	require.Len(t, r.Clusters, 5, "the hop, the one whose metadata lists the others, and one for each distinct upstream")
}

func TestBootstrapIsGolden(t *testing.T) {
	envoytest.Golden(t, "bootstrap", Bootstrap(parts.New(parts.Config{Service: testConfig().Service}), Options{NodeID: "semlb"}))
}

func TestStaticBootstrapIsGolden(t *testing.T) {
	o := Options{NodeID: "semlb", Admin: parts.Endpoint{Host: "127.0.0.1", Port: 9901}}
	envoytest.Golden(t, "bootstrap-static", Static(parts.New(testConfig()), o))
}

func TestHopOverASocketIsGolden(t *testing.T) {
	c := testConfig()
	c.HopSocket = "/run/semlb/hop.sock"
	c.Service = parts.Endpoint{Host: "semlb-0.semlb", Port: 8081}
	c.Replicas = []parts.Endpoint{{Host: "semlb-1.semlb", Port: 8081}}
	p := parts.New(c)
	r := NewResources(p)
	envoytest.Golden(t, "uds-listener-inner", r.Listeners[1])
	envoytest.Golden(t, "uds-cluster-semlb_hop", r.Clusters[0])
	envoytest.Golden(t, "uds-bootstrap-replicas", Bootstrap(p, Options{NodeID: "semlb"}))
}

func TestRoutesAreGolden(t *testing.T) {
	c := testConfig()
	c.Routes = testRoutes()
	envoytest.Golden(t, "routes-outer", NewResources(parts.New(c)).Routes[0])
}

// A renderer must not change the parts: another one may use them too.
func TestRenderersLeaveThePartsAsTheyAre(t *testing.T) {
	p := parts.New(testConfig())
	for range 2 {
		for _, r := range Renderers() {
			first, err := r.Render(p, Options{NodeID: "semlb"})
			require.NoError(t, err)
			fresh, err := r.Render(parts.New(testConfig()), Options{NodeID: "semlb"})
			require.NoError(t, err)
			require.Equal(t, string(fresh), string(first), r.Name)
		}
	}
}

func TestRenderersAreFoundByName(t *testing.T) {
	_, unknown := For("nowhere")
	require.ErrorContains(t, unknown, `got "nowhere", want one of xds, `)
	for _, r := range Renderers() {
		found, err := For(r.Name)
		require.NoError(t, err)
		require.Equal(t, r.Short, found.Short)
		require.NotEmpty(t, r.Short)
		require.ErrorContains(t, unknown, r.Name)
	}
}
