package server

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"semlb/envoy"
	"semlb/provider"
	"semlb/record/metrics/metricstest"
	"semlb/router"
)

// thinker is a router whose decisions block until it is released.
type thinker struct {
	fixedPlan
	thinking *atomic.Int64
	letGo    chan struct{}
}

func (r thinker) Route(context.Context, router.Request) router.Plan {
	r.thinking.Add(1)
	<-r.letGo
	return router.Plan{Reason: router.NoMatch}
}

// crowd is a processor whose decisions take long.
type crowd struct {
	*Processor
	t        *testing.T
	registry *prometheus.Registry
	router   thinker
	all      sync.WaitGroup
}

func newCrowd(t *testing.T, maxBodies int64) *crowd {
	c := &crowd{t: t, registry: prometheus.NewRegistry(), router: thinker{thinking: new(atomic.Int64), letGo: make(chan struct{})}}
	instance := &Instance{ID: "i", Router: c.router, RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 1 << 20, Streaming: provider.StreamingAllow}
	snapshot := &Snapshot{Find: func(Match) *Instance { return instance }}
	o := options(t, func() *Snapshot { return snapshot }, slog.New(slog.DiscardHandler), c.registry)
	o.MaxBodies = maxBodies
	c.Processor = NewProcessor(o)
	return c
}

// ask requests a decision, and returns the responses that Envoy gets.
func (c *crowd) ask(role string) (told []*extprocv3.ProcessingResponse) {
	err := c.Process(&oneRequest{
		ctx:      metadata.NewIncomingContext(context.Background(), metadata.Pairs(envoy.RoleKey, role)),
		messages: []*extprocv3.ProcessingRequest{headersMessage(false, ":path", "/"), bodyMessage(goodBody)},
		send: func(r *extprocv3.ProcessingResponse) error {
			told = append(told, r)
			return nil
		},
	})
	if err != nil {
		c.t.Error(err)
	}
	return told
}

// come lets n requests come whose decisions then take long.
func (c *crowd) come(n int64) {
	c.t.Helper()
	for range n {
		c.all.Go(func() { c.ask(envoy.RoleOuter) })
	}
	require.Eventually(c.t, func() bool { return c.router.thinking.Load() == n }, 30*time.Second, time.Millisecond)
}

func (c *crowd) requireShed(told []*extprocv3.ProcessingResponse, after int) map[string]string {
	c.t.Helper()
	require.Len(c.t, told, after+1)
	r := told[after].GetImmediateResponse()
	require.EqualValues(c.t, 503, r.GetStatus().GetCode())
	require.Contains(c.t, string(r.GetBody()), `"code":"overloaded"`)
	headers := make(map[string]string)
	for _, h := range r.GetHeaders().GetSetHeaders() {
		headers[h.GetHeader().GetKey()] = string(h.GetHeader().GetRawValue())
	}
	require.Equal(c.t, "1", headers["retry-after"])
	return headers
}

func TestBodiesOverTheBudgetAreShed(t *testing.T) {
	c := newCrowd(t, int64(len(goodBody))*7/2)
	c.come(3)
	c.requireShed(c.ask(envoy.RoleOuter), 1)
	headers := c.requireShed(c.ask(envoy.RoleInner), 1)
	require.Equal(t, "true", headers["x-envoy-ratelimited"], "the outer hop does not try again")
	require.EqualValues(t, 3, c.router.thinking.Load())
	require.Equal(t, 2.0, metricstest.Series(t, c.registry, "semlb_answers_total")["overloaded"])

	close(c.router.letGo)
	c.all.Wait()
	told := c.ask(envoy.RoleOuter)
	require.Contains(t, string(told[1].GetImmediateResponse().GetBody()), `"code":"no_match"`, "the budget is free again")
}

func TestABodyIsNotReceivedWhileTheBudgetIsExhausted(t *testing.T) {
	c := newCrowd(t, int64(len(goodBody)))
	c.come(1)
	c.requireShed(c.ask(envoy.RoleOuter), 0)
	close(c.router.letGo)
	c.all.Wait()
}

func TestASingleBodyAlwaysFits(t *testing.T) {
	c := newCrowd(t, 1)
	c.come(1)
	c.requireShed(c.ask(envoy.RoleOuter), 0)
	close(c.router.letGo)
	c.all.Wait()
	told := c.ask(envoy.RoleOuter)
	require.Contains(t, string(told[1].GetImmediateResponse().GetBody()), `"code":"no_match"`, "the budget is free again")
}
