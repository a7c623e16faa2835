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

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	waitLimit = time.Minute
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

// environment has no variable. It panics where a test needs a bug that the configuration
// reaches.
func environment(name string) (string, bool) {
	if name == "PANIC" {
		panic("a bug that quotes " + name)
	}
	return "", false
}

// fixture is a program that serves; no Envoy is connected to it.
type fixture struct {
	*App
	t      *testing.T
	file   string
	log    *logBuffer
	health healthv1.HealthClient
	stop   func() error // asks the program to stop and waits for it
}

// startFixture starts a program with a configuration. It calls meanwhile, if there is
// one, when the configuration is loaded and nothing runs yet.
func startFixture(t *testing.T, text string, meanwhile ...func(file string)) *fixture {
	t.Helper()
	dir, err := os.MkdirTemp("", "app-") // short enough for a socket
	require.NoError(t, err)
	f := &fixture{t: t, file: filepath.Join(dir, "kong.yaml"), log: new(logBuffer)}
	require.NoError(t, os.WriteFile(f.file, []byte(text), 0o600))
	o := DefaultOptions()
	o.Log = slog.New(slog.NewTextHandler(f.log, nil))
	o.Files, o.Reading.Env = []string{f.file}, environment
	o.MemoryStore, o.Drain = true, 3*readyPoll
	o.Admin.Listen, o.Status, o.GRPCSocket = AdminOff, "127.0.0.1:0", filepath.Join(dir, "grpc.sock")

	ctx, cancel := context.WithCancel(context.Background())
	f.App, err = New(ctx, o)
	require.NoError(t, err)
	for _, m := range meanwhile {
		m(f.file)
	}
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	f.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	conn, err := grpc.NewClient("unix:"+o.GRPCSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	f.health = healthv1.NewHealthClient(conn)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		require.NoError(t, f.stop())
		require.NoError(t, os.RemoveAll(dir))
	})
	return f
}

// readyz is the status of /readyz, which gRPC health checks must agree with.
func (f *fixture) readyz() int {
	f.t.Helper()
	// Readiness may change between the two requests, but not every time.
	var status int
	require.Eventually(f.t, func() bool {
		answer := httptest.NewRecorder()
		f.status.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
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

// logBuffer is a log that can be read while it is written.
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
