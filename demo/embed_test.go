package demo_test

import (
	"math"
	"testing"

	openai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"

	"semlb/demo"
)

func embed(t *testing.T, url string, request openai.EmbeddingRequest) [][]float32 {
	t.Helper()
	res, err := newSDK(t, url).CreateEmbeddings(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, "list", res.Object)
	require.Positive(t, res.Usage.TotalTokens)
	vectors := make([][]float32, len(res.Data))
	for i, d := range res.Data {
		require.Equal(t, i, d.Index)
		require.Equal(t, "embedding", d.Object)
		require.InDelta(t, 1, cos(d.Embedding, d.Embedding), 1e-5)
		vectors[i] = d.Embedding
	}
	return vectors
}

func cos(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestEmbeddingsAreTheSameInBothEncodingsAndServers(t *testing.T) {
	texts := []string{"fix this loop", "a poem about the sea", "…"}
	numbers := embed(t, start(t, demo.Options{}), openai.EmbeddingRequest{Model: "m", Input: texts, Dimensions: 64})
	packed := embed(t, start(t, demo.Options{}), openai.EmbeddingRequest{
		Model: "m", Input: texts, Dimensions: 64, EncodingFormat: openai.EmbeddingEncodingFormatBase64,
	})
	require.Len(t, numbers, 3)
	require.Len(t, numbers[0], 64)
	require.Equal(t, numbers, packed)
}

func TestEmbeddingsOfSharedWordsAreNearer(t *testing.T) {
	v := embed(t, start(t, demo.Options{}), openai.EmbeddingRequest{Model: "m", Input: []string{
		"Please fix this loop", "fix the loop, please", "an ocean of poems",
	}})
	require.Len(t, v[0], 1536)
	require.Greater(t, cos(v[0], v[1]), 0.5)
	require.Less(t, math.Abs(cos(v[0], v[2])), 0.2)
	require.Less(t, cos(v[0], v[1]), 0.999)
}

func TestEmbeddingsTakeAllKindsOfInput(t *testing.T) {
	url := start(t, demo.Options{})
	require.Len(t, embed(t, url, openai.EmbeddingRequest{Model: "text-embedding-3-large", Input: "x"})[0], 3072)
	require.Len(t, embed(t, url, openai.EmbeddingRequest{Model: "m", Input: []int{1, 2}}), 1)
	require.Len(t, embed(t, url, openai.EmbeddingRequest{Model: "m", Input: [][]int{{1}, {2}}}), 2)
}
