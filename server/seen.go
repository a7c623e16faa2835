package server

import (
	"context"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// seenEnvoys notices calls of Envoys, of whatever service.
type seenEnvoys struct{ any atomic.Bool }

// stream notices the streams of Envoy's own services.
func (s *seenEnvoys) stream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, serve grpc.StreamHandler) error {
	if !s.any.Load() && strings.HasPrefix(info.FullMethod, "/envoy.") { // a store would be shared by all requests
		s.any.Store(true)
	}
	return serve(service, stream)
}

// envoyHealthChecker is the user agent of Envoy's health checks.
const envoyHealthChecker = "Envoy/HC"

// unary notices Envoy's health checks, and not those of others, such as a kubelet.
func (s *seenEnvoys) unary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, serve grpc.UnaryHandler) (any, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	for _, agent := range md.Get("user-agent") {
		if strings.HasPrefix(agent, envoyHealthChecker) {
			s.any.Store(true)
		}
	}
	return serve(ctx, request)
}
