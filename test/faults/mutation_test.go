package faults_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"semlb/envoy"
	"semlb/test/harness"
)

// mutator is an external processor that plans for one target and changes headers in
// a way of its own beside that.
type mutator struct {
	extprocv3.UnimplementedExternalProcessorServer
	target envoy.Upstream
	mutate func(*extprocv3.HeaderMutation)
	// streams are the calls under way.
	streams atomic.Int64
}

func (m *mutator) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	m.streams.Add(1)
	defer m.streams.Add(-1)
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := stream.Send(envoy.Continue()); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	answer := envoy.ReplaceRequest(envoy.Request{
		Scheme: "http", Authority: m.target.Host, Path: "/", Body: []byte("{}"),
		Set: append(envoy.NewPolicy(nil).Headers(1),
			envoy.Header{Name: envoy.HeaderPlan, Value: "0"}, envoy.Header{Name: envoy.HeaderInstance, Value: "test"},
			envoy.Header{Name: envoy.HeaderIdle, Value: "60000"}, envoy.Header{Name: envoy.HeaderFirst, Value: m.target.Name()}),
	})
	m.mutate(answer.GetRequestBody().GetResponse().GetHeaderMutation())
	return stream.Send(answer)
}

// startMutator runs it behind an Envoy with semlb's own configuration. It returns
// where that listens and a client of its admin interface.
func startMutator(t *testing.T, m *mutator) (url string, admin *http.Client) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	extprocv3.RegisterExternalProcessorServer(server, m)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	listen, dir := netip.MustParseAddrPort(harness.FreeAddress(t)), t.TempDir()
	socket := filepath.Join(dir, "a")
	process := &envoy.Process{
		Binary: harness.Envoy(t), Dir: dir, Grace: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
		Bootstrap: envoy.StaticBootstrap(envoy.BootstrapOptions{NodeID: "test", Admin: envoy.Endpoint{Path: socket}}, envoy.NewResources(envoy.Config{
			ListenHost: "127.0.0.1", ListenPort: listen.Port(), Static: true,
			Service:   envoy.Endpoint{Host: "127.0.0.1", Port: uint16(l.Addr().(*net.TCPAddr).Port)},
			BodyLimit: 1 << 20, IdleTimeouts: []time.Duration{time.Minute}, DecisionBudget: time.Second,
			Routes: []envoy.Route{{}}, Upstreams: []envoy.Upstream{m.target},
		})),
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- process.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		server.Stop()
		require.NoError(t, <-served)
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", listen.String())
		return err == nil && conn.Close() == nil
	}, waitLimit, waitStep)
	return "http://" + listen.String(), &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
}

func sets(name, value string) func(*extprocv3.HeaderMutation) {
	return func(m *extprocv3.HeaderMutation) {
		m.SetHeaders = append(m.SetHeaders, &corev3.HeaderValueOption{
			Header:       &corev3.HeaderValue{Key: name, RawValue: []byte(value)},
			AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		})
	}
}

func removes(name string) func(*extprocv3.HeaderMutation) {
	return func(m *extprocv3.HeaderMutation) { m.RemoveHeaders = append(m.RemoveHeaders, name) }
}

// TestFault09RefusedMutations: semlb itself needs the authority and four of Envoy's
// retry headers, so Envoy's rules let those pass.
func TestFault09RefusedMutations(t *testing.T) {
	r := begin(t, "a processor removes host and pseudo headers, sets x-envoy-* that semlb does not, and values with CR, LF, NUL; targets configured with such headers")
	stub := harness.NewStub(t, "target")
	at := netip.MustParseAddrPort(stub.Authority)
	m := &mutator{
		target: envoy.Upstream{Scheme: "http", Host: "127.0.0.1", Port: at.Port(), ConnectTimeout: time.Second, WriteTimeout: time.Minute},
		mutate: func(*extprocv3.HeaderMutation) {},
	}
	url, admin := startMutator(t, m)
	client := harness.NewClient(t, harness.HTTP1)
	ask := func() harness.Answer {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(chat("hello")))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		answer, err := harness.Send(client, request)
		require.NoError(t, err)
		return answer
	}
	good := func() {
		t.Helper()
		stub.Reset()
		m.mutate = func(*extprocv3.HeaderMutation) {}
		answer := ask()
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
		require.Equal(t, "{}", string(stub.Only(t).Body))
		stub.Reset()
	}
	alert := alertSeries(t, "SemlbRejectedHeaderMutations")
	refused := func() int { return prometheusSum(t, admin, "http://envoy", alert) }
	mutations := map[string]func(*extprocv3.HeaderMutation){
		"removes host": removes("host"), "removes :authority": removes(":authority"), "removes :path": removes(":path"), "removes :method": removes(":method"),
		"sets LF": sets("x-own", "a\nb"), "sets CR LF": sets("x-own", "a\r\nx-other: b"), "sets NUL": sets("x-own", "a\x00b"), "sets LF in :path": sets(":path", "/\n"),
		"sets x-envoy-internal":      sets("x-envoy-internal", "true"),
		"sets x-envoy-original-path": sets("x-envoy-original-path", "/x"), "sets x-envoy-upstream-rq-timeout-ms": sets("x-envoy-upstream-rq-timeout-ms", "1"),
	}
	for name, mutate := range mutations {
		good()
		before := refused()
		m.mutate = mutate
		answer := ask()
		require.Equal(t, http.StatusInternalServerError, answer.Status, "%s: %s", name, answer.Body)
		require.Equal(t, "internal_error", answer.OpenAIError(t).Code, name)
		require.Empty(t, stub.Requests(), "%s: sent all the same", name)
		require.Greater(t, refused(), before, "%s: the series that the alert watches", name)
		require.Eventually(t, func() bool { return m.streams.Load() == 0 }, waitLimit, waitStep, "%s: a stream is left", name)
	}
	good()
	r.saw("%d mutations refused: 500 internal_error, nothing sent, no stream left, and the alert's own series in Envoy at %d", len(mutations), refused())

	for _, header := range []string{"host", ":authority", ":path", "x-envoy-max-retries", "x-envoy-original-path", "x-semlb-cluster", "content-length", "transfer-encoding", "connection"} {
		config := harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "m", Auth: map[string]any{"header_name": header, "header_value": "x"}}}})
		got := harness.Command(t, nil, "explain", "--embeddings", "builtin", "--vectordb", "memory", "-c", harness.WriteConfig(t, config), "hello")
		require.Equal(t, 1, got.Code, "%s: %s", header, got.Stdout)
	}
	r.saw("targets cannot be configured to set them")
}
