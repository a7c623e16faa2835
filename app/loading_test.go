package app

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

// panicking is a plugin with one description, whose embedder panics, and its loader.
type panicking struct {
	*loader
	parts  *pluginParts
	log    bytes.Buffer
	panics int
}

func newPanicking(t *testing.T, open func(width int) (vectordb.Store, error)) *panicking {
	t.Helper()
	cache, err := embeddings.NewCache(panickingEmbedder{}, embeddings.CacheOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { cache.Close() })
	store, err := openSized(2, open)
	require.NoError(t, err)
	r, err := router.New(router.Options{
		Algorithm: router.Semantic, MaxAttempts: 1, Semantic: router.SemanticOptions{Embedder: cache, Index: store},
		Targets: []router.Target{{ID: "a", Description: "a private description", Weight: 1}},
	})
	require.NoError(t, err)
	l := &panicking{parts: &pluginParts{instance: &server.Instance{ID: "i"}, router: r, store: store, embedder: cache}}
	l.loader = newLoader(time.Millisecond, slog.New(slog.NewTextHandler(&l.log, nil)), prometheus.NewRegistry(), func() { l.panics++ })
	return l
}

// loadOnce lets it try to load the description once.
func (l *panicking) loadOnce(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l.keepLoaded(ctx, l.parts, cancel)
	require.Equal(t, 1, l.panics)
	require.Regexp(t, `level=ERROR msg="descriptions cannot be embedded.*panic: value of type string.*stack="goroutine`, l.log.String())
	require.NotContains(t, l.log.String(), "private")
}

func TestAPanicWhileDescriptionsAreEmbeddedIsLoggedWithItsStack(t *testing.T) {
	l := newPanicking(t, func(width int) (vectordb.Store, error) { return vectordb.NewMemory(width, vectordb.Cosine) })
	l.loadOnce(t)
	require.Equal(t, router.Degraded, l.parts.router.Route(t.Context(), router.Request{Prompt: "hello"}).Reason)
}

// panickingStore panics whatever it is asked.
type panickingStore struct{ *vectordb.Memory }

func (panickingStore) Get(context.Context, ...string) (map[string][]float32, error) {
	panic("a fault with a private description")
}

// Sync makes it a store with a server behind it.
func (panickingStore) Sync(context.Context) (int, error) { panic("a fault") }

func TestAPanicOfAStoreIsLoggedAndCounted(t *testing.T) {
	l := newPanicking(t, func(width int) (vectordb.Store, error) {
		memory, err := vectordb.NewMemory(width, vectordb.Cosine)
		return panickingStore{memory}, err
	})
	l.loadOnce(t)
	require.Contains(t, l.log.String(), "panickingStore")

	l.log.Reset()
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	l.keepSynced(short, l.parts, false)
	require.Greater(t, l.panics, 2, "each is counted")
	require.Equal(t, 1, strings.Count(l.log.String(), "the vector store cannot be reached"), "it is said once")
	require.NotContains(t, l.log.String(), "a fault")
}
