package static

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"

	"semlb/embeddings"
)

// DefaultDistanceScale is the factor k of a static model's distances, k·(1−cos).
// Cosines of static models are lower than those of the remote models that
// thresholds are written for: with 0.778 the usual threshold of 0.7 means a cosine
// of 0.1. It leans towards a mild wrong route rather than a wrong "no match".
const DefaultDistanceScale = 0.778

// Model is a static embedding model. It is safe for concurrent use.
type Model struct {
	info      embeddings.Info
	tokenizer *tokenizer
	table     table
}

var _ embeddings.Embedder = (*Model)(nil)

// newModel builds a model from the bytes of its table and its tokenizer's file.
// Its name ends in the hash of both, one after the other.
func newModel(tableFile []byte, tok *tokenizer, name string, hashed ...[]byte) (*Model, error) {
	t, err := parseTable(tableFile)
	if err != nil {
		return nil, fmt.Errorf("read model.safetensors: %w", err)
	}
	if n := t.tokens(); int(tok.maxToken) >= n {
		return nil, fmt.Errorf("vocabulary goes up to token %d, the table has %d", tok.maxToken, n)
	}
	sum := sha256.New()
	for _, part := range hashed {
		sum.Write(part)
	}
	return &Model{
		info: embeddings.Info{
			Model:         fmt.Sprintf("%s@%.8x", name, sum.Sum(nil)[:4]),
			Dimensions:    t.width,
			DistanceScale: DefaultDistanceScale,
		},
		tokenizer: tok,
		table:     t,
	}, nil
}

// Info describes the model. Its name ends in the first 8 hexadecimal digits of
// the SHA-256 of model.safetensors followed by the tokenizer's file.
func (m *Model) Info() embeddings.Info {
	return m.info
}

// Embed returns the unit vector of each text, nil for one without a known token.
// Its only error is that of ctx.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	var tokens []int32
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("embed texts: %w", err)
		}
		tokens = m.tokenizer.appendTokens(tokens[:0], text)
		vectors[i] = m.vector(tokens)
	}
	return vectors, nil
}

// vector sums the rows of tokens, which it sorts, and brings the sum to unit
// length. It is nil where there is no direction: no token, or rows that cancel out.
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

// unit brings v to unit length in place, or returns nil if that is not possible.
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
