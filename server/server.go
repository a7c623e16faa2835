// Package server serves Envoy's gRPC services: the external processor, aggregated
// discovery (ADS), the access log service and health.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"semlb/envoy"
)

// Server is the gRPC server that Envoys connect to.
type Server struct {
	grpc   *grpc.Server
	health *health.Server
	envoys *seenEnvoys
	// endLong ends the streams of access logs and of uploads that have arrived, drain waits
	// for the other ones of the processor.
	endLong, drain func()
}

// New makes a server of its services.
func New(p *Processor, c *ControlPlane, l *AccessLogService) *Server {
	envoys := new(seenEnvoys)
	s := &Server{
		envoys: envoys,
		grpc: grpc.NewServer(
			// A body and its headers in one message.
			grpc.MaxRecvMsgSize(envoy.MaxBodyLimit+(8<<20)),
			grpc.MaxSendMsgSize(envoy.MaxBodyLimit+(8<<20)),
			grpc.MaxConcurrentStreams(1<<20),
			grpc.ChainStreamInterceptor(envoys.stream, p.panics.intercept),
			grpc.UnaryInterceptor(envoys.unary),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		),
		health: health.NewServer(),
		endLong: sync.OnceFunc(func() {
			close(l.stopping)
			close(p.stopping)
		}),
		drain: p.drain,
	}
	extprocv3.RegisterExternalProcessorServer(s.grpc, p)
	healthv1.RegisterHealthServer(s.grpc, s.health)
	c.Register(s.grpc)
	l.Register(s.grpc)
	s.health.SetServingStatus("", healthv1.HealthCheckResponse_NOT_SERVING)
	return s
}

// SetReady sets the status that gRPC health checks return.
func (s *Server) SetReady(ready bool) {
	status := healthv1.HealthCheckResponse_NOT_SERVING
	if ready {
		status = healthv1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", status)
}

// EnvoySeen reports whether an Envoy has called any of the services since the start.
func (s *Server) EnvoySeen() bool { return s.envoys.any.Load() }

// Serve serves on every listener until ctx ends and then stops: open streams have grace
// to finish, and those of a role that drains longer have that. It returns nil after an
// orderly stop.
func (s *Server) Serve(ctx context.Context, grace time.Duration, listeners ...net.Listener) error {
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- s.grpc.Serve(l) }()
	}
	running := len(listeners)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		running--
	}
	s.health.Shutdown()
	s.endLong()
	s.stop(grace)
	for range running {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		return fmt.Errorf("serve gRPC: %w", err)
	}
	return nil
}

// stop ends the server. A control plane's streams never end by themselves, so the
// graceful stop alone would wait for ever.
func (s *Server) stop(grace time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
	case <-time.After(grace):
		s.drain()
		s.grpc.Stop()
		<-done
	}
}
