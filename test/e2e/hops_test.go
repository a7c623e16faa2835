package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"semlb/app/child"
	"semlb/envoy"
	"semlb/envoy/parts"
	"semlb/envoy/render"
	"semlb/test/harness"
	"semlb/wire"
)

// mistaken is an external processor that plans well, and whose inner role answers
// attempt n with inner(n, what would be right).
type mistaken struct {
	extprocv3.UnimplementedExternalProcessorServer
	t     *testing.T
	stubs []*harness.Stub
	outer func(*extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error)
	inner func(int, *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error)
	// thinks, if it is set, is called before a role answers.
	thinks func(ctx context.Context, role string)
}

func (m *mistaken) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	md, _ := metadata.FromIncomingContext(stream.Context())
	role := md.Get(envoy.RoleKey)[0]
	if role == envoy.RoleObserve {
		return nil // and sends no answer
	}
	headers, err := stream.Recv()
	if err != nil {
		return err
	}
	if err := stream.Send(envoy.Continue()); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if m.thinks != nil {
		m.thinks(stream.Context(), role)
	}
	answer, err := m.answer(role, headers)
	if err != nil {
		return err
	}
	return stream.Send(answer)
}

func (m *mistaken) answer(role string, headers *extprocv3.ProcessingRequest) (*extprocv3.ProcessingResponse, error) {
	if role == envoy.RoleOuter {
		return m.outer(m.rewrite(0, m.planned()...))
	}
	n, err := attemptOf(headers)
	if err != nil {
		m.t.Error(err)
		return nil, err
	}
	return m.inner(n, m.rewrite(n-1, envoy.Header{Name: envoy.HeaderCluster, Value: clusterOf(m.stubs[n-1]).Name()}))
}

// planned are the headers of a plan over all stubs.
func (m *mistaken) planned() []envoy.Header {
	policy := envoy.NewPolicy(harness.SeedCriteria())
	return append(policy.Headers(len(m.stubs), false),
		envoy.Header{Name: envoy.HeaderPlan, Value: "0,1,2"},
		envoy.Header{Name: envoy.HeaderInstance, Value: "test"},
		envoy.Header{Name: envoy.HeaderIdle, Value: "60000"},
		envoy.Header{Name: envoy.HeaderFirst, Value: clusterOf(m.stubs[0]).Name()})
}

// rewrite is the request for a target, with its key.
func (m *mistaken) rewrite(target int, set ...envoy.Header) *extprocv3.ProcessingResponse {
	return envoy.ReplaceRequest(envoy.Request{
		Scheme: "http", Authority: m.stubs[target].Authority, Path: "/", Body: []byte(fmt.Sprintf(`{"model":"%d"}`, target)),
		Set: append(set,
			envoy.Header{Name: "authorization", Value: keyOf(0, target)},
			envoy.Header{Name: envoy.HeaderServed, Value: modelOf(0, target)}),
	})
}

// attemptOf is the number of the attempt that the inner role is called for.
func attemptOf(m *extprocv3.ProcessingRequest) (int, error) {
	headers := m.GetRequestHeaders().GetHeaders().GetHeaders()
	for _, h := range headers {
		if h.GetKey() == "x-envoy-attempt-count" {
			return strconv.Atoi(string(h.GetRawValue()))
		}
	}
	return 0, fmt.Errorf("a request of the inner hop without the number of its attempt: %v", headers)
}

func clusterOf(s *harness.Stub) parts.Upstream {
	at := netip.MustParseAddrPort(s.Authority)
	return parts.Upstream{Scheme: "http", Host: at.Addr().String(), Port: at.Port(), ConnectTimeout: 10 * time.Second, WriteTimeout: time.Minute}
}

// start runs an Envoy with the static configuration of package render and m as its
// external processor, and returns its URL.
func (m *mistaken) start(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	extprocv3.RegisterExternalProcessorServer(server, m)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	listen := netip.MustParseAddrPort(harness.FreeAddress(t))
	config := parts.Config{
		ListenHost: listen.Addr().String(), ListenPort: listen.Port(),
		Service:   parts.Endpoint{Host: "127.0.0.1", Port: uint16(l.Addr().(*net.TCPAddr).Port)},
		BodyLimit: 1 << 20, IdleTimeouts: []time.Duration{time.Minute}, DecisionBudget: time.Minute,
		HopSocket: harness.HopSocket(t), Routes: []parts.Route{{}},
	}
	for _, s := range m.stubs {
		config.Upstreams = append(config.Upstreams, clusterOf(s))
	}
	process := &child.Process{
		Binary: harness.Envoy(t), Dir: t.TempDir(), Grace: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
		Bootstrap: render.Static(parts.New(config), render.Options{NodeID: "test"}),
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
	}, time.Minute, 10*time.Millisecond, "Envoy listens")
	return "http://" + listen.String()
}

type answerer = func(int, *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error)

func right(_ int, r *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
	return r, nil
}

func withoutCluster(_ int, r *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
	mutation := r.GetRequestBody().GetResponse().GetHeaderMutation()
	for i, h := range mutation.GetSetHeaders() {
		if h.GetHeader().GetKey() == envoy.HeaderCluster {
			mutation.SetHeaders = append(mutation.SetHeaders[:i:i], mutation.SetHeaders[i+1:]...)
			break
		}
	}
	return r, nil
}

func withoutClear(_ int, r *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
	r.GetRequestBody().GetResponse().ClearRouteCache = false
	return r, nil
}

// TestAForgottenRewriteSendsNothing makes the mistakes that could send one target's
// key to another: with two headers for the cluster, nothing leaves at all.
func TestAForgottenRewriteSendsNothing(t *testing.T) {
	t.Parallel()
	m := &mistaken{t: t, stubs: stubs(t, 3)}
	url := m.start(t)
	fails := func(int, *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
		return nil, status.Error(codes.Internal, "the processor failed")
	}
	only := func(n int, wrong answerer) answerer {
		return func(got int, r *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
			if got == n {
				return wrong(got, r)
			}
			return r, nil
		}
	}
	for _, tt := range []struct {
		name   string
		inner  answerer
		status int
		want   []int
	}{
		{"no mistake", right, 200, []int{1, 1, 1}},
		{"cluster forgotten", withoutCluster, 503, []int{1, 0, 0}},
		{"clear_route_cache forgotten", withoutClear, 503, []int{1, 0, 0}},
		{"both forgotten", func(n int, r *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
			r, _ = withoutCluster(n, r)
			return withoutClear(n, r)
		}, 503, []int{1, 0, 0}},
		{"everything forgotten", func(int, *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
			return envoy.PassRequest(nil, nil), nil
		}, 503, []int{1, 0, 0}},
		{"cluster forgotten on attempt 2, which the third makes good", only(2, withoutCluster), 200, []int{1, 0, 1}},
		{"processor fails on attempt 2, which the third makes good", only(2, fails), 200, []int{1, 0, 1}},
		{"processor fails on every later attempt", fails, 503, []int{1, 0, 0}},
		{"a final answer on attempt 2", only(2, func(int, *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
			return envoy.Final(envoy.Answer(500, wire.ErrorBody("m", "server_error", "c"), "test")), nil
		}), 500, []int{1, 0, 0}},
	} {
		for _, p := range harness.Protocols() {
			t.Run(tt.name+"/"+string(p), func(t *testing.T) {
				reset(m.stubs...)
				m.stubs[0].Do(harness.Status(429))
				m.stubs[1].Do(harness.Status(429))
				m.outer = func(r *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) { return r, nil }
				m.inner = tt.inner
				answer := ask(t, p, url)
				require.Equal(t, tt.status, answer.Status, answer.Body)
				if tt.status != http.StatusOK {
					answer.OpenAIError(t)
				}
				require.Equal(t, tt.want, counts(m.stubs...))
				for i, s := range m.stubs {
					for _, got := range s.Requests() {
						require.Equal(t, []string{keyOf(0, i)}, got.Header["Authorization"])
					}
				}
			})
		}
	}
}

// TestWithoutADecisionNothingIsSent: the outer processor fails, or forgets.
func TestWithoutADecisionNothingIsSent(t *testing.T) {
	t.Parallel()
	m := &mistaken{t: t, stubs: stubs(t, 2), inner: right}
	url := m.start(t)
	for _, tt := range []struct {
		name   string
		outer  func(*extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error)
		status int
		code   string
	}{
		{"fails", func(*extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
			return nil, status.Error(codes.Unavailable, "the processor failed")
		}, 503, "router_unavailable"},
		{"a header that Envoy refuses", func(r *extprocv3.ProcessingResponse) (*extprocv3.ProcessingResponse, error) {
			m := r.GetRequestBody().GetResponse().GetHeaderMutation()
			m.GetSetHeaders()[0].GetHeader().RawValue = []byte("/\r\nx: y")
			return r, nil
		}, 500, "internal_error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reset(m.stubs...)
			m.outer = tt.outer
			answer := ask(t, harness.HTTP1, url)
			require.Equal(t, tt.status, answer.Status, answer.Body)
			require.Equal(t, tt.code, answer.OpenAIError(t).Code)
			require.Equal(t, []string{"mine"}, answer.Header["X-Request-Id"])
			require.Equal(t, []int{0, 0}, counts(m.stubs...))
		})
	}
}

func ask(t *testing.T, p harness.Protocol, url string) harness.Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(harness.Chat("hello")))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-Id", "mine")
	answer, err := harness.Send(harness.NewClient(t, p), r)
	require.NoError(t, err)
	return answer
}
