package cli

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/router"
	"semlb/server"
	"semlb/vectordb"
)

// panickingEmbedder panics with what it was asked.
type panickingEmbedder struct{}

func (panickingEmbedder) Info() embeddings.Info { return embeddings.Info{Model: "m", Dimensions: 2} }

func (panickingEmbedder) Embed(_ context.Context, texts []string) ([][]float32, error) {
	panic("a fault with " + texts[0])
}

func TestAPanicWhileDescriptionsAreEmbeddedIsLoggedWithItsStack(t *testing.T) {
	cache, err := embeddings.NewCache(panickingEmbedder{}, embeddings.CacheOptions{})
	require.NoError(t, err)
	defer cache.Close()
	store, err := openSized(2, func(width int) (vectordb.Store, error) { return vectordb.NewMemory(width, vectordb.Cosine) })
	require.NoError(t, err)
	r, err := router.New(router.Options{
		Algorithm: router.Semantic, MaxAttempts: 1, Embedder: cache, Index: store,
		Targets: []router.Target{{ID: "a", Description: "a private description", Weight: 1}},
	})
	require.NoError(t, err)

	var log bytes.Buffer
	panics := 0
	ctx, cancel := context.WithCancel(t.Context())
	l := newLoader(time.Minute, slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry(), func() { panics++ })
	l.keepLoaded(ctx, &pluginParts{instance: &server.Instance{ID: "i"}, router: r, store: store, embedder: cache}, cancel)
	require.Equal(t, 1, panics)
	require.Regexp(t, `level=ERROR msg="descriptions cannot be embedded.*panic: value of type string.*stack="goroutine`, log.String())
	require.NotContains(t, log.String(), "private")
	require.Equal(t, router.Degraded, r.Route(t.Context(), "hello").Reason)
}
