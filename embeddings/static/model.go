package static

import (
	"context"
	"fmt"
	"math"
	"slices"

	"semlb/embeddings"
)

// Model is a static embedding model. It is safe for concurrent use.
type Model struct {
	info       embeddings.Info
	vocabulary *vocabulary
	table      table
}

var _ embeddings.Embedder = (*Model)(nil)

// Info describes the model. Its name ends in a hash of its files.
func (m *Model) Info() embeddings.Info { return m.info }

// Embed returns the unit vector of each text, nil for one without a known piece. Its
// only error is that of ctx.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	var tokens []int32
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("embed texts: %w", err)
		}
		tokens = m.vocabulary.appendTokens(tokens[:0], text)
		vectors[i] = m.vector(tokens)
	}
	return vectors, nil
}

// vector sums the rows of tokens, which it sorts, and scales the sum to unit length. It
// is nil without a direction: no token, or rows that cancel out.
func (m *Model) vector(tokens []int32) []float32 {
	if len(tokens) == 0 {
		return nil
	}
	slices.Sort(tokens) // equal tokens lie together: each row is read once
	v := make([]float32, m.table.width)
	for len(tokens) > 0 {
		n := 1
		for n < len(tokens) && tokens[n] == tokens[0] {
			n++
		}
		m.table.add(v, tokens[0], n)
		tokens = tokens[n:]
	}
	return unit(v)
}

// unit scales v to unit length in place, or returns nil if that is not possible.
func unit(v []float32) []float32 {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	scale := 1 / math.Sqrt(squares)
	if !(squares > 0) || math.IsInf(squares, 0) || math.IsInf(scale, 0) {
		return nil
	}
	for i, x := range v {
		v[i] = float32(float64(x) * scale)
	}
	return v
}
