package server

import (
	"log/slog"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/metadata"

	"semlb/envoy"
	"semlb/provider"
	"semlb/provider/providertest"
)

// What one request costs the outer role, without gRPC and without a decision.
func BenchmarkProcess(b *testing.B) {
	targets := make(map[string]*Target)
	for _, id := range []string{"a1", "b2"} { // fixedPlan's
		target := providertest.NewTarget(b, provider.Settings{ID: id, Provider: "openai", Model: id})
		targets[id] = &Target{Target: target, Provider: "openai", Model: id, Cluster: "c"}
	}
	instance := &Instance{
		ID: "i", Router: fixedPlan{}, RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 1 << 20, Streaming: provider.StreamingAllow,
		Targets: targets,
	}
	snapshot := &Snapshot{Find: func(Match) *Instance { return instance }, Consumer: func(func(string) string) string { return "" }}
	p := NewProcessor(options(b, func() *Snapshot { return snapshot }, slog.New(slog.DiscardHandler), prometheus.NewRegistry()))
	ctx := metadata.NewIncomingContext(b.Context(), metadata.Pairs(envoy.RoleKey, envoy.RoleOuter))
	messages := []*extprocv3.ProcessingRequest{headersMessage(false, ":path", "/"), bodyMessage(goodBody)}
	send := func(*extprocv3.ProcessingResponse) error { return nil }
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Process(&oneRequest{ctx: ctx, messages: messages, send: send}); err != nil {
			b.Fatal(err)
		}
	}
}
