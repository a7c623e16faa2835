package embeddings_test

import (
	"hash/fnv"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
	"semlb/embeddings/embeddingstest"
)

// newWords returns an embedder with a vector for each text that is not blank.
func newWords() *fakeEmbedder {
	return &fakeEmbedder{vector: func(text string) []float32 {
		if strings.TrimSpace(text) == "" {
			return nil
		}
		hash := fnv.New32()
		_, _ = hash.Write([]byte(text)) // a hash never fails
		sin, cos := math.Sincos(float64(hash.Sum32()))
		return []float32{float32(cos), float32(sin)}
	}}
}

func TestGuardKeepsTheContract(t *testing.T) {
	embeddingstest.Run(t, func(*testing.T) embeddings.Embedder {
		return embeddings.NewGuard(newWords(), embeddings.GuardOptions{})
	})
}

func TestCacheKeepsTheContract(t *testing.T) {
	embeddingstest.Run(t, func(t *testing.T) embeddings.Embedder {
		cache := newCache(t, newWords(), embeddings.CacheOptions{})
		t.Cleanup(func() { require.NoError(t, cache.Close()) })
		return cache
	})
}
