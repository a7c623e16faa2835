package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"semlb/envoy"
)

// ControlPlane serves Envoys their configuration over ADS and knows whether they
// took it.
type ControlPlane struct {
	cache   cachev3.SnapshotCache
	server  serverv3.Server
	log     *slog.Logger
	metrics *Metrics

	mu      sync.Mutex
	version string
	changed chan struct{} // closed and replaced whenever an Envoy answers
	acked   map[string]string
	refusal error // of the version in force
}

// everyEnvoy gives all Envoys the same configuration.
type everyEnvoy struct{}

func (everyEnvoy) ID(*corev3.Node) string { return envoy.NodeCluster }

// NewControlPlane makes a control plane without a configuration: Envoys that
// connect wait for the first Set.
func NewControlPlane(ctx context.Context, log *slog.Logger, metrics *Metrics) *ControlPlane {
	c := &ControlPlane{
		cache: cachev3.NewSnapshotCache(true, everyEnvoy{}, nil),
		log:   log, metrics: metrics,
		changed: make(chan struct{}),
		acked:   make(map[string]string),
	}
	c.server = serverv3.NewServer(ctx, c.cache, serverv3.CallbackFuncs{StreamRequestFunc: c.onRequest})
	return c
}

// Register adds the control plane to a gRPC server.
func (c *ControlPlane) Register(s *grpc.Server) {
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s, c.server)
}

// Set puts resources in force. Their version is a hash of them: equal resources
// are not sent again.
func (c *ControlPlane) Set(ctx context.Context, r envoy.Resources) error {
	all := map[resource.Type][]types.Resource{}
	for _, l := range r.Listeners {
		all[resource.ListenerType] = append(all[resource.ListenerType], l)
	}
	for _, rc := range r.Routes {
		all[resource.RouteType] = append(all[resource.RouteType], rc)
	}
	for _, cl := range r.Clusters {
		all[resource.ClusterType] = append(all[resource.ClusterType], cl)
	}
	version, err := versionOf(r)
	if err != nil {
		return err
	}
	snapshot, err := cachev3.NewSnapshot(version, all)
	if err != nil {
		return fmt.Errorf("make xDS snapshot: %w", err)
	}
	if err := snapshot.Consistent(); err != nil {
		return fmt.Errorf("make xDS snapshot: %w", err)
	}
	c.mu.Lock()
	c.version, c.refusal = version, nil
	c.mu.Unlock()
	if err := c.cache.SetSnapshot(ctx, envoy.NodeCluster, snapshot); err != nil {
		return fmt.Errorf("set xDS snapshot: %w", err)
	}
	return nil
}

func versionOf(r envoy.Resources) (string, error) {
	h := sha256.New()
	write := func(m proto.Message) error {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			return fmt.Errorf("hash xDS resources: %w", err)
		}
		h.Write(b)
		return nil
	}
	for _, l := range r.Listeners {
		if err := write(l); err != nil {
			return "", err
		}
	}
	for _, rc := range r.Routes {
		if err := write(rc); err != nil {
			return "", err
		}
	}
	for _, cl := range r.Clusters {
		if err := write(cl); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// onRequest notes what an Envoy says of a configuration: a discovery request that
// names a nonce answers the response of that nonce.
func (c *ControlPlane) onRequest(_ int64, r *discoveryv3.DiscoveryRequest) error {
	if r.GetResponseNonce() == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if detail := r.GetErrorDetail(); detail != nil {
		c.metrics.rejections.Inc()
		c.log.Error("envoy refused its configuration", "type", r.GetTypeUrl(), "error", detail.GetMessage())
		c.refusal = &RefusedError{Detail: detail.GetMessage()}
	} else {
		c.acked[r.GetTypeUrl()] = r.GetVersionInfo()
	}
	close(c.changed)
	c.changed = make(chan struct{})
	return nil
}

// RefusedError is a configuration that Envoy did not take.
type RefusedError struct {
	// Detail is Envoy's own words.
	Detail string
}

func (e *RefusedError) Error() string { return "envoy refused its configuration: " + e.Detail }

// Wait returns when an Envoy has taken the whole configuration in force, with a
// *RefusedError if it refused a part, or with the context's error.
func (c *ControlPlane) Wait(ctx context.Context) error {
	for {
		c.mu.Lock()
		done, refusal, changed := c.inForce(), c.refusal, c.changed
		c.mu.Unlock()
		switch {
		case refusal != nil:
			return refusal
		case done:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// inForce says whether every type was acknowledged at the version in force; c.mu
// is held.
func (c *ControlPlane) inForce() bool {
	for _, t := range []resource.Type{resource.ClusterType, resource.ListenerType, resource.RouteType} {
		if c.acked[t] != c.version || c.version == "" {
			return false
		}
	}
	return true
}
