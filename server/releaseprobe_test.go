package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"semlb/envoy"
	"semlb/provider"
	"semlb/provider/providertest"
	"semlb/router"
)

// prober is a router that probes, and keeps the probes it gets back.
type prober struct {
	fixedPlan
	during func() // while it plans
	back   *[]router.Probe
}

func (p prober) Route(context.Context, router.Request) router.Plan {
	p.during()
	return router.Plan{Targets: []string{"a1"}, Reason: router.Matched, Probes: probes()}
}

func (p prober) ReleaseProbe(probe router.Probe) { *p.back = append(*p.back, probe) }

func probes() []router.Probe {
	return []router.Probe{{Target: "a1", Token: 1}, {Target: "b2", Token: 2}}
}

// oneRequest is Envoy's stream for one request.
type oneRequest struct {
	grpc.ServerStream
	ctx      context.Context
	messages []*extprocv3.ProcessingRequest
	// send receives each response to Envoy; the first lets it send the body.
	send func(*extprocv3.ProcessingResponse) error
}

func (s *oneRequest) Context() context.Context { return s.ctx }

func (s *oneRequest) Recv() (*extprocv3.ProcessingRequest, error) {
	if len(s.messages) == 0 {
		return nil, io.EOF
	}
	m := s.messages[0]
	s.messages = s.messages[1:]
	return m, nil
}

func (s *oneRequest) Send(r *extprocv3.ProcessingResponse) error { return s.send(r) }

// A plan that does not leave with its request makes no probe: the next plan can make
// it at once, not only when the probe is given up.
func TestProbesOfAPlanThatDoesNotLeaveAreGivenBack(t *testing.T) {
	target := func(model string) *Target {
		p := providertest.NewTarget(t, provider.Settings{ID: "a1", Provider: "openai", Model: model})
		return &Target{Target: p, Provider: "openai", Model: model, Cluster: "c"}
	}
	for _, tt := range []struct {
		name    string
		left    bool // the client, while it is decided
		target  *Target
		broken  bool // the stream, when it is answered
		back    []router.Probe
		rewrite bool
	}{
		{name: "it leaves", target: target("m"), rewrite: true},
		{name: "the client has left", target: target("m"), left: true, back: probes()},
		{name: "a panic", back: probes()},
		{name: "no rewrite", target: target(""), back: probes()},
		{name: "the stream is broken", target: target("m"), broken: true, back: probes(), rewrite: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, leave := context.WithCancel(metadata.NewIncomingContext(t.Context(), metadata.Pairs(envoy.RoleKey, envoy.RoleOuter)))
			defer leave()
			var back []router.Probe
			r := prober{back: &back, during: func() {
				if tt.left {
					leave()
				}
			}}
			instance := &Instance{ID: "i", Router: r, RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 1 << 20, Streaming: provider.StreamingAllow}
			if tt.target != nil {
				instance.Targets = map[string]*Target{"a1": tt.target}
			}
			snapshot := &Snapshot{Find: func(Match) *Instance { return instance }}
			p := NewProcessor(options(t, func() *Snapshot { return snapshot }, slog.New(slog.DiscardHandler), prometheus.NewRegistry()))
			var last *extprocv3.ProcessingResponse
			err := p.Process(&oneRequest{
				ctx: ctx, messages: []*extprocv3.ProcessingRequest{headersMessage(false, ":path", "/"), bodyMessage(goodBody)},
				send: func(r *extprocv3.ProcessingResponse) error {
					last = r
					if tt.broken && r.GetRequestBody() != nil {
						return errors.New("broken")
					}
					return nil
				},
			})
			require.Equal(t, tt.broken, err != nil, err)
			require.Equal(t, tt.rewrite, last.GetRequestBody() != nil)
			require.Equal(t, tt.back, back)
		})
	}
}
