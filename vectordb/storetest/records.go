package storetest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/vectordb"
)

// RandomRecords returns n unit vectors, the same ones for each call, with IDs in their
// order.
func RandomRecords(n, dimensions int) []vectordb.Record {
	random := rand.New(rand.NewPCG(uint64(dimensions), 7))
	records := make([]vectordb.Record, n)
	for i := range records {
		records[i] = vectordb.Record{ID: fmt.Sprintf("%05d", i), Vector: make([]float32, dimensions)}
		square := 0.0
		for j := range records[i].Vector {
			x := random.NormFloat64()
			records[i].Vector[j] = float32(x)
			square += x * x
		}
		for j := range records[i].Vector {
			records[i].Vector[j] /= float32(math.Sqrt(square))
		}
	}
	return records
}

// getter is the part of a store that RequireKept reads.
type getter interface {
	Get(ctx context.Context, ids ...string) (map[string][]float32, error)
}

// RequireKept fails the test unless the store keeps these vectors.
func RequireKept(t *testing.T, s getter, want map[string][]float32) {
	t.Helper()
	got, err := s.Get(t.Context(), slices.Collect(maps.Keys(want))...)
	require.NoError(t, err)
	require.Equal(t, want, got)
}
