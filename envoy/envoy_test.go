package envoy

import (
	"cmp"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a message with testdata/NAME.json.
func golden(t *testing.T, name string, m proto.Message) {
	t.Helper()
	got := readable(t, m)
	file := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go test ./envoy -update and look at the difference")
}

func testConfig() Config {
	return Config{
		ListenHost: "127.0.0.1", ListenPort: 8000,
		Service:        Endpoint{Path: "/run/semlb/grpc.sock"},
		BodyLimit:      1 << 20,
		Routes:         []Route{{}},
		IdleTimeouts:   []time.Duration{30 * time.Second, time.Minute, 30 * time.Second},
		TrustedCA:      "/etc/ssl/certs/ca-certificates.crt",
		DecisionBudget: time.Second,
		Upstreams: []Upstream{
			{Scheme: "https", Host: "api.openai.com", Port: 443, ConnectTimeout: time.Minute, WriteTimeout: time.Minute},
			{Scheme: "http", Host: "127.0.0.1", Port: 9000, ConnectTimeout: time.Second, WriteTimeout: time.Second},
			{Scheme: "https", Host: "10.0.0.7", Port: 8443, ConnectTimeout: time.Second, WriteTimeout: time.Second},
			{Scheme: "https", Host: "self-signed.test", Port: 443, ConnectTimeout: time.Second, WriteTimeout: time.Second, SkipVerify: true},
			{Scheme: "https", Host: "api.openai.com", Port: 443, ConnectTimeout: time.Minute, WriteTimeout: time.Minute},
		},
	}
}

func TestResourcesAreGolden(t *testing.T) {
	r := NewResources(testConfig())
	golden(t, "listener-outer", r.Listeners[0])
	golden(t, "listener-inner", r.Listeners[1])
	golden(t, "routes-outer-all", r.Routes[0])
	golden(t, "routes-inner", r.Routes[1])
	require.Len(t, r.Clusters, 5, "the hop and one for each distinct upstream")
	for _, c := range r.Clusters {
		golden(t, "cluster-"+fileName(c.Name), c)
	}
}

func fileName(cluster string) string {
	return strings.ReplaceAll(cluster, ":", "_")
}

func TestBootstrapIsGolden(t *testing.T) {
	golden(t, "bootstrap", Bootstrap(BootstrapOptions{NodeID: "semlb", Service: testConfig().Service}))
}

func TestTheStaticBootstrapIsGolden(t *testing.T) {
	c := testConfig()
	c.Static = true
	golden(t, "bootstrap-static", StaticBootstrap(BootstrapOptions{
		NodeID: "semlb", Service: c.Service, Admin: Endpoint{Host: "127.0.0.1", Port: 9901},
	}, NewResources(c)))
}

func TestAHopOverASocketIsGolden(t *testing.T) {
	c := testConfig()
	c.HopSocket = "/run/semlb/hop.sock"
	r := NewResources(c)
	golden(t, "uds-listener-inner", r.Listeners[1])
	golden(t, "uds-cluster-semlb_hop", r.Clusters[0])
	golden(t, "uds-bootstrap-replicas", Bootstrap(BootstrapOptions{
		NodeID: "semlb", HopSocket: c.HopSocket,
		Service: Endpoint{Host: "semlb-0.semlb", Port: 8081}, Replicas: []Endpoint{{Host: "semlb-1.semlb", Port: 8081}},
	}))
}

func TestEqualConfigurationsGiveEqualResources(t *testing.T) {
	a, b := NewResources(testConfig()), NewResources(testConfig())
	for i := range a.Clusters {
		require.True(t, proto.Equal(a.Clusters[i], b.Clusters[i]))
	}
}

// Envoy itself says whether it would take what this package makes: the oldest, the
// newest and the one that ENVOY_VERSION names.
func TestEnvoyTakesTheConfiguration(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, []byte(testCA), 0o600))
	c := testConfig()
	c.TrustedCA, c.Static = ca, true
	o := BootstrapOptions{NodeID: "semlb", Service: c.Service, Admin: Endpoint{Host: "127.0.0.1", Port: 9901}}
	versions := []string{"1.36.4", "1.40.0", cmp.Or(os.Getenv("ENVOY_VERSION"), "1.40.0")}
	slices.Sort(versions)
	for _, version := range slices.Compact(versions) {
		t.Run(version, func(t *testing.T) {
			validate(t, version, StaticBootstrap(o, NewResources(c)))
			validate(t, version, Bootstrap(o))

			replicated, socket := o, filepath.Join(t.TempDir(), "hop.sock")
			replicated.Replicas, replicated.HopSocket = []Endpoint{{Host: "127.0.0.1", Port: 8082}, {Path: "/run/semlb/other.sock"}}, socket
			validate(t, version, Bootstrap(replicated))
			replicated.Replicas = []Endpoint{{Host: "semlb.test", Port: 8082}}
			replicated.Service = Endpoint{Host: "127.0.0.1", Port: 8081}
			validate(t, version, Bootstrap(replicated))
			c := c
			c.HopSocket, c.Service, c.Replicas = socket, replicated.Service, replicated.Replicas
			validate(t, version, StaticBootstrap(replicated, NewResources(c)))
		})
	}
}

func validate(t *testing.T, version string, m proto.Message) {
	t.Helper()
	binary := filepath.Join("..", ".tools", "envoy-"+version, "envoy")
	if _, err := os.Stat(binary); err != nil {
		out, err := exec.Command("../scripts/get-envoy.sh", version, filepath.Dir(binary)).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	file := filepath.Join(t.TempDir(), "envoy.json")
	text, err := protojson.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
	out, err := exec.Command(binary, "--mode", "validate", "-c", file, "--log-level", "error").CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestPolicyFollowsFailoverCriteria(t *testing.T) {
	for _, tt := range []struct {
		name     string
		criteria []string
		classes  []Class
		statuses []int
	}{
		{
			"the seed's",
			[]string{"error", "timeout", "http_429", "http_503", "non_idempotent"},
			[]Class{ClassConnect, ClassConnectTimeout, ClassReset, ClassTimeout},
			[]int{429, 503},
		},
		{"the defaults send nothing twice", []string{"error", "timeout"}, []Class{ClassConnect, ClassConnectTimeout}, nil},
		{"statuses need non_idempotent", []string{"http_429", "http_503"}, nil, nil},
		{"statuses only", []string{"http_503", "non_idempotent", "http_503"}, nil, []int{503}},
		{"timeout only", []string{"timeout", "non_idempotent"}, []Class{ClassConnectTimeout, ClassTimeout}, nil},
		{"invalid header only", []string{"invalid_header", "non_idempotent"}, []Class{ClassProtocol}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewPolicy(tt.criteria)
			require.Equal(t, tt.classes, p.Classes)
			require.Equal(t, tt.statuses, p.Statuses)
		})
	}
}

func TestPolicyHeaders(t *testing.T) {
	p := NewPolicy([]string{"error", "http_429", "http_503", "non_idempotent"})
	require.Equal(t, []Header{
		{HeaderRetry, "|connect|reset|"},
		{"x-envoy-max-retries", "2"},
		{"x-envoy-retriable-header-names", HeaderRetry},
		{"x-envoy-retriable-status-codes", "429,503"},
		{"x-envoy-retry-on", "retriable-headers,retriable-status-codes"},
	}, p.Headers(3))
	require.Equal(t, []Header{{HeaderRetry, "|"}}, Policy{}.Headers(1), "one attempt needs no retries")
}

func TestLimitsKeepFailover(t *testing.T) {
	for _, body := range []int64{0, 8192, 1 << 20, 4 << 20, 1 << 40} {
		l := limitsFor(body)
		require.Greater(t, l.outerRoute, 2*uint64(l.outerConnection))
		require.Greater(t, l.innerRoute, 2*uint64(l.innerConnection))
		require.Greater(t, l.innerConnection, l.outerConnection)
		require.Equal(t, l.outerConnection, l.window)
		require.GreaterOrEqual(t, int64(l.outerConnection), min(body, MaxBodyLimit)+margin)
	}
}
