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

// sdkHeaders are those of a request of OpenAI's Python SDK, as Envoy sends them.
var sdkHeaders = []string{
	":method", "POST", ":path", "/v1/chat/completions", ":scheme", "http", ":authority", "api.openai.com",
	"user-agent", "OpenAI/Python", "accept", "application/json", "accept-encoding", "gzip, deflate",
	"content-type", "application/json", "content-length", "64", "x-request-id", "6f6211de-1ab2-4a8f-9bd2-3ba202c25a05",
	"x-forwarded-proto", "http", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	"x-stainless-lang", "python", "x-stainless-package-version", "2.0.0", "x-stainless-os", "Linux", "x-stainless-arch", "x64",
	"x-stainless-runtime", "CPython", "x-stainless-runtime-version", "3.13", "x-stainless-async", "false",
	"x-stainless-retry-count", "0", "x-stainless-read-timeout", "600", "authorization", "Bearer sk-client",
}

// What one request costs the outer role, without gRPC and without a decision.
func BenchmarkProcess(b *testing.B) { benchmarkProcess(b, ":path", "/") }

func BenchmarkProcessOfAnSDK(b *testing.B) { benchmarkProcess(b, sdkHeaders...) }

func benchmarkProcess(b *testing.B, headers ...string) {
	b.Helper()
	targets := make(map[string]*Target)
	for _, id := range []string{"a1", "b2"} { // fixedPlan's
		target := providertest.NewTarget(b, provider.Settings{ID: id, Provider: "openai", Model: id})
		targets[id] = &Target{Target: target, Provider: "openai", Model: id, Cluster: "c"}
	}
	instance := &Instance{
		ID: "i", Router: fixedPlan{}, RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 1 << 20, Streaming: provider.StreamingAllow,
		Targets: targets,
	}
	snapshot := &Snapshot{Find: func(Match) *Instance { return instance }}
	p := NewProcessor(options(b, func() *Snapshot { return snapshot }, slog.New(slog.DiscardHandler), prometheus.NewRegistry()))
	ctx := metadata.NewIncomingContext(b.Context(), metadata.Pairs(envoy.RoleKey, envoy.RoleOuter))
	messages := []*extprocv3.ProcessingRequest{headersMessage(false, headers...), bodyMessage(goodBody)}
	send := func(*extprocv3.ProcessingResponse) error { return nil }
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Process(&oneRequest{ctx: ctx, messages: messages, send: send}); err != nil {
			b.Fatal(err)
		}
	}
}
