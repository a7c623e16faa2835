package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"semlb/test/harness"
)

// TestReadyFromEnvoysAcknowledgementToTheDrain: the state of /readyz and gRPC health
// before Envoy is connected, while it serves, and while it is drained.
func TestReadyFromEnvoysAcknowledgementToTheDrain(t *testing.T) {
	stub := harness.NewStub(t, "provider")
	begin := filepath.Join(t.TempDir(), "begin")
	late := script(t, fmt.Sprintf(`while [ "$1" != --version ] && [ ! -e %s ]; do sleep 0.05; done; exec %s "$@"`, begin, harness.Envoy(t)))
	grpcAddress := harness.FreeAddress(t)
	s := harness.Launch(t, harness.Options{
		Config: harness.Config(withLanes(harness.Plugin{}, lanes(urlsOf(stub)))),
		Flags:  []string{"--envoy", late, "--grpc-listen", grpcAddress},
	})
	conn, err := grpc.NewClient(grpcAddress, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	health := func() healthv1.HealthCheckResponse_ServingStatus {
		answer, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
		require.NoError(t, err)
		return answer.GetStatus()
	}
	requireReady := func(ready bool) {
		t.Helper()
		status, serving := http.StatusServiceUnavailable, healthv1.HealthCheckResponse_NOT_SERVING
		if ready {
			status, serving = http.StatusOK, healthv1.HealthCheckResponse_SERVING
		}
		require.Equal(t, status, harness.StatusOf(s.Status+"/readyz"))
		require.Equal(t, serving, health())
	}

	harness.AwaitStatus(t, s.Status+"/healthz", http.StatusOK)
	for range 5 {
		requireReady(false)
		time.Sleep(100 * time.Millisecond)
	}
	require.NoError(t, os.WriteFile(begin, nil, 0o600))
	s.AwaitReady()
	requireReady(true)

	release := make(chan struct{})
	stub.Do(func(x *harness.Exchange) {
		x.Body()
		<-release
		harness.OK()(x)
	})
	answers := make(chan int, 1)
	client, request := harness.NewClient(t, harness.HTTP1), s.Request(t.Context(), harness.ChatPath, strings.NewReader(harness.Chat("hello")))
	go func() {
		answer, _ := harness.Send(client, request) // a failure has the status 0
		answers <- answer.Status
	}()
	stub.Await(t, 1)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.Stop()
	}()
	harness.AwaitStatus(t, s.Status+"/readyz", http.StatusServiceUnavailable)
	requireReady(false)
	close(release)
	require.Equal(t, http.StatusOK, <-answers, "the request in flight is finished")
	<-stopped
}
