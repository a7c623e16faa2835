package server_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"semlb/server"
)

// brokenStream is one whose connection broke: it fails, and its context has ended.
type brokenStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s brokenStream) Context() context.Context { return s.ctx }

func (s brokenStream) Recv() (*accesslogv3.StreamAccessLogsMessage, error) { return nil, s.ctx.Err() }

func (s brokenStream) SendAndClose(*accesslogv3.StreamAccessLogsResponse) error { return nil }

// TestAccessLogStreamsEndWithTheirConnections tries often: which of the two a stream
// notices first is left to chance.
func TestAccessLogStreamsEndWithTheirConnections(t *testing.T) {
	l := server.NewAccessLogService(server.Options{Log: slog.New(slog.DiscardHandler), Metrics: server.NewMetrics(prometheus.NewRegistry())})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = l.StreamAccessLogs(brokenStream{ctx: ctx}) // of whatever kind
		}()
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			t.Fatal("a stream outlives its connection")
		}
	}
}
