package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"semlb/envoy"
	"semlb/envoy/render"
)

// ControlPlane serves Envoys their configuration over ADS and tracks whether they
// acknowledged it.
type ControlPlane struct {
	cache   cachev3.SnapshotCache
	server  serverv3.Server
	log     *slog.Logger
	metrics *Metrics
	redact  func(string) string

	mu       sync.Mutex
	versions map[resource.Type]string
	acks     ackTracker
	envoys   map[int64]string // versions, by stream
	// refusedAt is when an Envoy that is too old was last logged.
	refusedAt time.Time
	changed   chan struct{} // closed and replaced whenever an Envoy responds or disconnects
}

// everyEnvoy serves all Envoys the same configuration.
type everyEnvoy struct{}

func (everyEnvoy) ID(*corev3.Node) string { return envoy.NodeCluster }

// NewControlPlane makes a control plane without a configuration: Envoys that connect
// wait for the first Set. An Envoy that rejects a configuration may quote it; redact
// removes secrets from its messages.
func NewControlPlane(ctx context.Context, log *slog.Logger, metrics *Metrics, redact func(string) string) *ControlPlane {
	c := &ControlPlane{
		cache: cachev3.NewSnapshotCache(true, everyEnvoy{}, nil),
		log:   log, metrics: metrics, redact: redact,
		changed: make(chan struct{}),
		acks:    newAckTracker(),
		envoys:  make(map[int64]string),
	}
	c.server = serverv3.NewServer(ctx, c.cache, serverv3.CallbackFuncs{
		StreamRequestFunc:  c.onRequest,
		StreamResponseFunc: c.onResponse,
		StreamClosedFunc:   c.onClosed,
	})
	return c
}

// Register adds the control plane to a gRPC server.
func (c *ControlPlane) Register(s *grpc.Server) {
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s, c.server)
}

// Set puts resources in force. The version of each type is a hash of its
// resources: what is equal is not sent again.
func (c *ControlPlane) Set(ctx context.Context, r render.Resources) error {
	var snapshot cachev3.Snapshot
	versions := make(map[resource.Type]string)
	for t, resources := range byType(r) {
		version, err := versionOf(resources)
		if err != nil {
			return err
		}
		versions[t] = version
		snapshot.Resources[cachev3.GetResponseType(t)] = cachev3.NewResources(version, resources)
	}
	if err := snapshot.Consistent(); err != nil {
		return fmt.Errorf("make xDS snapshot: %w", err)
	}
	c.mu.Lock()
	c.versions = versions
	c.mu.Unlock()
	if err := c.cache.SetSnapshot(ctx, envoy.NodeCluster, &snapshot); err != nil {
		return fmt.Errorf("set xDS snapshot: %w", err)
	}
	return nil
}

func byType(r render.Resources) map[resource.Type][]types.Resource {
	all := make(map[resource.Type][]types.Resource)
	for _, l := range r.Listeners {
		all[resource.ListenerType] = append(all[resource.ListenerType], l)
	}
	for _, rc := range r.Routes {
		all[resource.RouteType] = append(all[resource.RouteType], rc)
	}
	for _, cl := range r.Clusters {
		all[resource.ClusterType] = append(all[resource.ClusterType], cl)
	}
	return all
}

func versionOf(resources []types.Resource) (string, error) {
	h := sha256.New()
	for _, m := range resources {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			return "", fmt.Errorf("hash xDS resources: %w", err)
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// onResponse tracks what an Envoy is sent, since its ACK names only the nonce.
func (c *ControlPlane) onResponse(_ context.Context, stream int64, _ *discoveryv3.DiscoveryRequest, r *discoveryv3.DiscoveryResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acks.sent(stream, r)
}

// onRequest tracks ACKs and NACKs: a discovery request that names a nonce responds to
// the response of that nonce.
func (c *ControlPlane) onRequest(stream int64, r *discoveryv3.DiscoveryRequest) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.admit(stream, r); err != nil {
		return err
	}
	c.acks.ack(stream, r)
	if detail := r.GetErrorDetail(); detail != nil {
		c.refused(stream, r, c.redact(detail.GetMessage()))
	} else if c.inForce() {
		c.acks.clearNacks()
	}
	c.wake()
	return nil
}

// refused tracks a NACK; c.mu is held.
func (c *ControlPlane) refused(stream int64, r *discoveryv3.DiscoveryRequest, detail string) {
	c.metrics.rejections.Inc()
	c.log.Error("envoy rejected its configuration", "type", r.GetTypeUrl(), "error", detail)
	version, ok := c.acks.nack(stream, r, detail)
	if ok {
		// The cache sees the request as an ACK of the version. Otherwise it would send what
		// was rejected again at once, in an endless loop.
		r.VersionInfo = version
	}
}

// onClosed drops an Envoy that disconnected.
func (c *ControlPlane) onClosed(stream int64, _ *corev3.Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acks.removeStream(stream)
	c.disconnected(stream)
	if c.inForce() {
		c.acks.clearNacks()
	}
	c.wake()
}

// wake lets all waiters check again; c.mu is held.
func (c *ControlPlane) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Connected reports whether any Envoy is connected.
func (c *ControlPlane) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acks.streams) > 0
}

// RefusedError is a configuration that Envoy rejected.
type RefusedError struct {
	// Detail is Envoy's own message, redacted.
	Detail string
}

func (e *RefusedError) Error() string { return "envoy rejected its configuration: " + e.Detail }

// Wait returns when every connected Envoy, and at least one, has acknowledged the whole
// configuration in force, with a *RefusedError if one rejected a part, or with the
// context's error.
func (c *ControlPlane) Wait(ctx context.Context) error {
	for {
		c.mu.Lock()
		done, rejection, changed := c.inForce(), c.acks.rejection(c.versions), c.changed
		c.mu.Unlock()
		switch {
		case rejection != nil:
			return rejection
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

// InForce reports whether Wait would return at once and without an error.
func (c *ControlPlane) InForce() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inForce()
}

// Refusal is the *RefusedError of the configuration in force, also after the Envoy that
// rejected it has disconnected; nil if none did, or if all that are connected have
// acknowledged it since.
func (c *ControlPlane) Refusal() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.acks.rejection(c.versions)
}

// Serving reports whether any connected Envoy has a whole configuration to serve with:
// the one in force, or an earlier one.
func (c *ControlPlane) Serving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.acks.anyServing(c.versions)
}

// inForce reports whether all Envoys acknowledged every type; c.mu is held.
func (c *ControlPlane) inForce() bool {
	return len(c.versions) > 0 && c.acks.allAcked(c.versions)
}
