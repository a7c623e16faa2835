package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"semlb/envoy/parts"
	"semlb/envoy/render"
	"semlb/server"
)

// controlPlane is a control plane with a configuration, served on the loopback.
type controlPlane struct {
	*server.ControlPlane
	registry *prometheus.Registry
	log      *bytes.Buffer
	client   discoveryv3.AggregatedDiscoveryServiceClient
}

func newControlPlane(t *testing.T) *controlPlane {
	t.Helper()
	c := &controlPlane{registry: prometheus.NewRegistry(), log: new(bytes.Buffer)}
	ctx, stop := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(c.log, nil)) // the control plane writes with its lock held
	c.ControlPlane = server.NewControlPlane(ctx, log, server.NewMetrics(c.registry), redacted)
	require.NoError(t, c.Set(ctx, render.NewResources(parts.New(parts.Config{ListenHost: "127.0.0.1", ListenPort: 8000, BodyLimit: 1 << 20, Routes: []parts.Route{{}}}))))
	s := grpc.NewServer()
	c.Register(s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		stop()
		s.Stop()
		require.NoError(t, <-served)
	})
	c.client = discoveryv3.NewAggregatedDiscoveryServiceClient(conn)
	return c
}

// redacted stands for what takes credentials out of Envoy's words.
func redacted(text string) string { return strings.ReplaceAll(text, "annas-key", "[redacted]") }

// ask requests the clusters as an Envoy of a version does; nil is one that reports no
// version.
func (c *controlPlane) ask(t *testing.T, version *typev3.SemanticVersion) (discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient, error) {
	t.Helper()
	stream, err := c.client.StreamAggregatedResources(t.Context())
	require.NoError(t, err)
	node := &corev3.Node{Id: "edge-7"}
	if version != nil {
		node.UserAgentVersionType = &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{Version: version}}
	}
	require.NoError(t, stream.Send(&discoveryv3.DiscoveryRequest{Node: node, TypeUrl: resource.ClusterType}))
	_, err = stream.Recv()
	return stream, err
}

func TestAnEnvoyThatIsTooOldIsRefusedWithASentence(t *testing.T) {
	c := newControlPlane(t)
	for range 3 {
		_, err := c.ask(t, &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 35, Patch: 9})
		require.Equal(t, codes.FailedPrecondition, status.Code(err))
		require.Equal(t, "Envoy 1.35.9 is too old for semlb: 1.36.0 or newer is needed", status.Convert(err).Message())
	}
	require.Empty(t, c.Envoys())
	require.False(t, c.Connected())
	require.Equal(t, []float64{3}, series(t, c.registry, "semlb_envoys_refused_total"))
	require.Equal(t, 1, bytes.Count(c.log.Bytes(), []byte("too old")), "%s", c.log)
	require.Contains(t, c.log.String(), "node=edge-7 version=1.35.9 oldest=1.36.0")
}

func TestTheVersionsOfConnectedEnvoysAreKnown(t *testing.T) {
	c := newControlPlane(t)
	newest := &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 40}
	var open []discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	for _, v := range []*typev3.SemanticVersion{newest, {MajorNumber: 1, MinorNumber: 36, Patch: 4}, newest, nil} {
		stream, err := c.ask(t, v)
		require.NoError(t, err)
		open = append(open, stream)
	}
	require.Equal(t, []string{"1.36.4", "1.40.0", "unknown"}, c.Envoys())
	require.ElementsMatch(t, []float64{1, 2, 1}, series(t, c.registry, "semlb_envoys"))
	for _, stream := range open {
		require.NoError(t, stream.CloseSend())
	}
	require.Eventually(t, func() bool { return len(c.Envoys()) == 0 }, 30*time.Second, time.Millisecond)
	require.Empty(t, series(t, c.registry, "semlb_envoys"), "a version that is gone has no series")
}

// series are the values of a metric's series.
func series(t *testing.T, r *prometheus.Registry, name string) []float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	var values []float64
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				values = append(values, m.GetGauge().GetValue()+m.GetCounter().GetValue())
			}
		}
	}
	return values
}
