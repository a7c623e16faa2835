package openai

import (
	"context"

	api "github.com/sashabaranov/go-openai"

	"semlb/embeddings"
	"semlb/embeddings/remote"
)

// request is the body of a request. A credential may be a member of it.
type request struct {
	api.EmbeddingRequest
	Credential map[string]string `json:",embed"`
}

// embedding is one vector of an answer. Some servers leave out the index and keep the
// order of the texts.
type embedding struct {
	api.Embedding
	Index *int `json:"index"`
}

// post makes one request; at 0 dimensions it requests no width.
func (e *Embedder) post(ctx context.Context, texts []string, dimensions int) ([]embedding, error) {
	var answer struct {
		Data []embedding `json:"data"`
	}
	err := e.client.Post(ctx, texts, request{
		EmbeddingRequest: api.EmbeddingRequest{
			Input:          texts,
			Model:          api.EmbeddingModel(e.settings.Model),
			Dimensions:     dimensions,
			EncodingFormat: api.EmbeddingEncodingFormatFloat, // which every server knows
		},
		Credential: e.client.BodyParam(),
	}, &answer)
	return answer.Data, err
}

// vectors returns the vectors of an answer as unit vectors in the order of the texts.
func (e *Embedder) vectors(data []embedding, want int) ([][]float32, error) {
	if len(data) != want {
		return nil, embeddings.Invalid("got %d vectors, want %d", len(data), want)
	}
	vectors := make([][]float32, want)
	for i, d := range data {
		if d.Index != nil {
			i = *d.Index
		}
		if i < 0 || i >= want || vectors[i] != nil {
			return nil, embeddings.Invalid("got index %d twice or out of range, want 0 to %d once each", i, want-1)
		}
		if err := remote.Normalize(d.Embedding.Embedding); err != nil {
			return nil, embeddings.Invalid("vector %d: %w", i, err)
		}
		vectors[i] = d.Embedding.Embedding
	}
	return vectors, e.width.Check(vectors)
}
