package cli

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
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

// panickingStore panics whatever it is asked, with what it was asked for.
type panickingStore struct{ *vectordb.Memory }

func (panickingStore) Get(_ context.Context, ids ...string) (map[string][]float32, error) {
	panic("a fault with " + ids[0])
}

// Sync makes it a store with a server behind it.
func (panickingStore) Sync(context.Context) (int, error) { panic("a fault") }

func TestAPanicOfAStoreIsLoggedAndCounted(t *testing.T) {
	memory, err := vectordb.NewMemory(2, vectordb.Cosine)
	require.NoError(t, err)
	store, err := openSized(2, func(int) (vectordb.Store, error) { return panickingStore{memory}, nil })
	require.NoError(t, err)
	cache, err := embeddings.NewCache(panickingEmbedder{}, embeddings.CacheOptions{}) // it is not asked
	require.NoError(t, err)
	defer cache.Close()
	r, err := router.New(router.Options{
		Algorithm: router.Semantic, MaxAttempts: 1, Embedder: cache, Index: store,
		Targets: []router.Target{{ID: "a", Description: "a private description", Weight: 1}},
	})
	require.NoError(t, err)

	var log bytes.Buffer
	panics := 0
	ctx, cancel := context.WithCancel(t.Context())
	l := newLoader(time.Millisecond, slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry(), func() { panics++ })
	parts := &pluginParts{instance: &server.Instance{ID: "i"}, router: r, store: store, embedder: cache}
	l.keepLoaded(ctx, parts, cancel)
	require.Equal(t, 1, panics)
	require.Regexp(t, `level=ERROR msg="descriptions cannot be embedded.*panic: value of type string.*stack="goroutine.*panickingStore`, log.String())

	log.Reset()
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	l.keepSynced(short, parts, false)
	require.Greater(t, panics, 2, "each is counted")
	require.Equal(t, 1, strings.Count(log.String(), "the vector store cannot be reached"), "it is said once")
	require.NotContains(t, log.String(), "a fault")
}
