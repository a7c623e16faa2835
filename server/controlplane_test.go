package server_test

import (
	"context"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/stretchr/testify/require"
	statusv3 "google.golang.org/genproto/googleapis/rpc/status"

	"semlb/envoy/parts"
	"semlb/envoy/render"
	"semlb/server"
)

// subscriber is an Envoy that takes and refuses what a test wants it to.
type subscriber struct {
	t      *testing.T
	stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	// got is the last response of each type, taken what it has.
	got   map[string]*discoveryv3.DiscoveryResponse
	taken map[string]string
	end   context.CancelFunc
}

func (c *controlPlane) subscribe(t *testing.T, has map[string]string) *subscriber {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	stream, err := c.client.StreamAggregatedResources(ctx)
	require.NoError(t, err)
	s := &subscriber{t: t, stream: stream, got: map[string]*discoveryv3.DiscoveryResponse{}, taken: map[string]string{}, end: end}
	for _, typ := range everyType() {
		s.taken[typ] = has[typ]
		require.NoError(t, stream.Send(&discoveryv3.DiscoveryRequest{Node: &corev3.Node{Id: "edge-7"}, TypeUrl: typ, ResourceNames: names(typ), VersionInfo: has[typ]}))
	}
	for range everyType() {
		s.receive()
	}
	return s
}

func everyType() []string {
	return []string{resource.ClusterType, resource.ListenerType, resource.RouteType}
}

// names are the resources that Envoy subscribes to; nil is all.
func names(typ string) []string {
	if typ != resource.RouteType {
		return nil
	}
	var all []string
	for _, r := range render.NewResources(parts.New(parts.Config{Routes: []parts.Route{{}}})).Routes {
		all = append(all, r.GetName())
	}
	return all
}

// receive waits for the next response.
func (s *subscriber) receive() {
	s.t.Helper()
	r, err := s.stream.Recv()
	require.NoError(s.t, err)
	s.got[r.GetTypeUrl()] = r
}

// take acknowledges what it got of every type.
func (s *subscriber) take() {
	s.t.Helper()
	for typ, r := range s.got {
		s.taken[typ] = r.GetVersionInfo()
		s.answer(typ, "")
	}
}

// answer acknowledges or, in Envoy's words, refuses the last response of a type.
func (s *subscriber) answer(typ, words string) {
	s.t.Helper()
	r := &discoveryv3.DiscoveryRequest{TypeUrl: typ, ResourceNames: names(typ), VersionInfo: s.taken[typ], ResponseNonce: s.got[typ].GetNonce()}
	if words != "" {
		r.ErrorDetail = &statusv3.Status{Message: words}
	}
	require.NoError(s.t, s.stream.Send(r))
}

// configure puts another configuration in force.
func (c *controlPlane) configure(t *testing.T, port uint16) {
	t.Helper()
	require.NoError(t, c.Set(t.Context(), render.NewResources(parts.New(parts.Config{ListenHost: "127.0.0.1", ListenPort: port, BodyLimit: 1 << 20, Routes: []parts.Route{{}}}))))
}

// refusal waits for one.
func (c *controlPlane) refusal(t *testing.T) error {
	t.Helper()
	require.Eventually(t, func() bool { return c.Refusal() != nil }, 30*time.Second, time.Millisecond)
	return c.Refusal()
}

func (c *controlPlane) awaitInForce(t *testing.T) {
	t.Helper()
	require.Eventually(t, c.InForce, 30*time.Second, time.Millisecond)
	require.NoError(t, c.Refusal())
}

const duplicate = "Duplicated credential key: 'annas-key'"

func TestWhatEnvoyRefusesIsSaidWithoutCredentials(t *testing.T) {
	c := newControlPlane(t)
	s := c.subscribe(t, nil)
	s.answer(resource.ListenerType, duplicate)
	err := c.refusal(t)
	require.EqualError(t, err, "envoy rejected its configuration: Duplicated credential key: '[redacted]'")
	var refused *server.RefusedError
	require.ErrorAs(t, c.Wait(t.Context()), &refused)
	require.NotContains(t, c.log.String(), "annas-key")
	require.Contains(t, c.log.String(), "Duplicated credential key")
}

// The cache of go-control-plane would send it at once, and Envoy refuse it again.
func TestWhatEnvoyRefusedIsNotSentAgain(t *testing.T) {
	c := newControlPlane(t)
	s := c.subscribe(t, nil)
	s.take()
	c.awaitInForce(t)
	first := s.got[resource.ListenerType].GetVersionInfo()

	c.configure(t, 8002)
	s.receive()
	s.answer(resource.ListenerType, duplicate)
	require.Error(t, c.refusal(t))
	require.True(t, c.Serving(), "by the configuration before it")

	// The next one is what was in force before, and Envoy receives it.
	c.configure(t, 8000)
	s.receive()
	require.Equal(t, first, s.got[resource.ListenerType].GetVersionInfo())
	s.take()
	c.awaitInForce(t)
	require.Equal(t, []float64{1}, series(t, c.registry, "semlb_xds_rejections_total"))
}

func TestARefusalIsOfTheVersionItAnswers(t *testing.T) {
	c := newControlPlane(t)
	s := c.subscribe(t, nil)
	s.take()
	c.awaitInForce(t)
	c.configure(t, 8002)
	s.receive()
	bad := s.got[resource.ListenerType]
	c.configure(t, 8000)
	s.answer(resource.ListenerType, duplicate) // it has not seen the next one yet
	s.receive()
	require.NotEqual(t, bad.GetVersionInfo(), s.got[resource.ListenerType].GetVersionInfo())
	s.take()
	c.awaitInForce(t)
}

func TestARefusalOutlivesItsEnvoyUntilAnotherTakesTheConfiguration(t *testing.T) {
	c := newControlPlane(t)
	s := c.subscribe(t, nil)
	s.answer(resource.ListenerType, duplicate)
	require.Error(t, c.refusal(t))
	require.False(t, c.Serving(), "it has nothing to serve by")
	s.end()
	require.Eventually(t, func() bool { return !c.Connected() }, 30*time.Second, time.Millisecond)
	require.Error(t, c.Refusal())
	c.subscribe(t, nil).take()
	c.awaitInForce(t)
	require.True(t, c.Serving())
}

// An Envoy that reconnects sends the version it has.
func TestAnEnvoyThatReconnectsStillServes(t *testing.T) {
	c := newControlPlane(t)
	has := map[string]string{}
	for _, typ := range everyType() {
		has[typ] = "of another replica"
	}
	s := c.subscribe(t, has)
	s.answer(resource.ListenerType, duplicate)
	require.Error(t, c.refusal(t))
	require.True(t, c.Serving())
}
