package remote

import (
	"errors"
	"math"
	"sync/atomic"

	"semlb/embeddings"
)

// minNorm is the length below which a vector has no direction.
const minNorm = 1e-12

// Normalize scales v to unit length in place. Its errors complete "vector 3: ".
func Normalize(v []float32) error {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	norm := math.Sqrt(sum)
	switch {
	case len(v) == 0:
		return errors.New("is empty")
	case math.IsNaN(norm) || math.IsInf(norm, 0):
		return errors.New("is not finite")
	case norm < minNorm:
		return errors.New("has no direction, all numbers are 0")
	}
	for i, x := range v {
		v[i] = float32(float64(x) / norm)
	}
	return nil
}

// Width is the number of dimensions that the vectors of a model have, or 0 while it is
// not known. It is safe for concurrent use.
type Width struct{ n atomic.Int64 }

// Get returns the width.
func (w *Width) Get() int { return int(w.n.Load()) }

// Set replaces the width.
func (w *Width) Set(n int) { w.n.Store(int64(n)) }

// Check compares the vectors of an answer, at least one, with the width. If that is not
// known, it becomes theirs, unless they differ. The error wraps a
// [*embeddings.WidthError].
func (w *Width) Check(vectors [][]float32) error {
	want := w.Get()
	if want == 0 {
		want = len(vectors[0])
	}
	for i, v := range vectors {
		if len(v) != want {
			return embeddings.Invalid("vector %d: %w", i, &embeddings.WidthError{Got: len(v), Want: want})
		}
	}
	// Another answer may have settled the width since.
	if !w.n.CompareAndSwap(0, int64(want)) && w.Get() != want {
		return embeddings.Invalid("vectors: %w", &embeddings.WidthError{Got: want, Want: w.Get()})
	}
	return nil
}
