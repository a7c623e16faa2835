package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"semlb/config"
)

const (
	waitLimit = 10 * time.Second
	waitStep  = 5 * time.Millisecond
)

// plain is a configuration that needs no embedder.
const plain = `_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: round-robin}
    targets:
    - {route_type: llm/v1/chat, model: {provider: openai, name: m, options: {upstream_url: "http://127.0.0.1:9"}}}
`

// noEnvironment has no variable.
func noEnvironment(string) (string, bool) { return "", false }

// fixture is a service as serve starts it, beside which no Envoy runs.
type fixture struct {
	*service
	t       *testing.T
	file    string
	options *ServeOptions
	log     *logBuffer
	health  healthv1.HealthClient
	status  http.Handler
}

// startFixture starts a service. Before that, but after its configuration was
// loaded, it calls meanwhile.
func startFixture(t *testing.T, text string, meanwhile func(file string)) *fixture {
	t.Helper()
	dir, err := os.MkdirTemp("", "cli-") // short enough for a socket
	require.NoError(t, err)
	f := &fixture{t: t, file: filepath.Join(dir, "kong.yaml"), log: new(logBuffer)}
	require.NoError(t, os.WriteFile(f.file, []byte(text), 0o600))
	f.options = &ServeOptions{
		LoadOptions: LoadOptions{
			Files: []string{f.file}, Reading: config.Options{Env: noEnvironment},
			Embeddings: "config", VectorDB: "memory", Budget: time.Second,
		},
		Admin: AdminOptions{Listen: AdminOff}, Listen: "127.0.0.1:8000", Status: "127.0.0.1:0",
		GRPCSocket: filepath.Join(dir, "grpc.sock"), SocketMode: 0o600,
	}
	log := slog.New(slog.NewTextHandler(f.log, nil))
	cfg, err := f.options.begin(log)
	require.NoError(t, err)
	meanwhile(f.file)
	b := &builder{options: f.options.LoadOptions, log: log, baseURL: f.options.providerURL}
	ctx, cancel := context.WithCancel(context.Background())
	f.service, err = startService(ctx, f.options, b, cfg)
	require.NoError(t, err)
	conn, err := grpc.NewClient("unix:"+f.options.GRPCSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		require.NoError(t, conn.Close())
		f.stop()
		f.options.closeAdmin(log)
		require.NoError(t, os.RemoveAll(dir))
	})
	f.health = healthv1.NewHealthClient(conn)
	f.status = statusHandler(prometheus.NewRegistry(), &f.ready)
	return f
}

// readyz is the status of /readyz. The gRPC health service must say the same.
func (f *fixture) readyz() int {
	f.t.Helper()
	// Readiness may change between the two questions, but not all the time.
	var status int
	require.Eventually(f.t, func() bool {
		answer := httptest.NewRecorder()
		f.status.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
		health, err := f.health.Check(context.Background(), &healthv1.HealthCheckRequest{})
		if err != nil {
			return false
		}
		status = answer.Code
		return (status == http.StatusOK) == (health.GetStatus() == healthv1.HealthCheckResponse_SERVING)
	}, waitLimit, waitStep, "/readyz and gRPC health differ")
	return status
}

func (f *fixture) awaitReadyz(status int) {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return f.readyz() == status }, waitLimit, waitStep, "/readyz: want %d", status)
}

// logBuffer is a log that is read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
