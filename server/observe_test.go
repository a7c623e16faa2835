package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"semlb/envoy"
)

func TestPayloadsOfAllAttemptsAreBounded(t *testing.T) {
	budget := &bodyBudget{limit: 10}
	first, second := payload{budget: budget}, payload{budget: budget}
	first.add([]byte("12345678"))
	second.add([]byte("12"))
	second.add([]byte("3"))
	require.True(t, second.cut)
	first.release()
	second.add([]byte("4"))
	require.Equal(t, "12", second.String(), "what is cut has no hole")
	second.release()
	require.Zero(t, budget.held.Load())

	long := payload{budget: &bodyBudget{limit: maxPayloads}}
	long.add([]byte(strings.Repeat("x", maxPayload+1)))
	require.True(t, long.cut)
	require.Equal(t, maxPayload, long.Len())
}

// The tokens of an answer that is under way when the server stops are counted.
func TestTheObservingRoleDrains(t *testing.T) {
	p := NewProcessor(options(t, func() *Snapshot { return nil }, slog.New(slog.DiscardHandler), prometheus.NewRegistry()))
	opened, end := make(chan struct{}), make(chan struct{})
	p.roles[envoy.RoleObserve].handle = func(stream) error {
		close(opened)
		<-end
		return nil
	}
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(envoy.RoleKey, envoy.RoleObserve))
	served, drained := make(chan error, 1), make(chan struct{})
	go func() { served <- p.Process(&oneRequest{ctx: ctx}) }()
	<-opened
	go func() {
		p.drain()
		close(drained)
	}()
	select {
	case <-drained:
		require.Fail(t, "the stream is open")
	case <-time.After(100 * time.Millisecond):
	}
	close(end)
	require.NoError(t, <-served)
	<-drained
}
