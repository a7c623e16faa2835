package vectordb_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/vectordb"
	"semlb/vectordb/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dimensions int, metric vectordb.Metric) vectordb.Store {
		return newMemory(t, dimensions, metric)
	})
}

func newMemory(tb testing.TB, dimensions int, metric vectordb.Metric) *vectordb.Memory {
	tb.Helper()
	m, err := vectordb.NewMemory(dimensions, metric)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, m.Close()) })
	return m
}

func TestNewMemoryRefusesBadSpaces(t *testing.T) {
	_, err := vectordb.NewMemory(0, vectordb.Cosine)
	require.EqualError(t, err, "dimensions: got 0, want 1 or more")
	_, err = vectordb.NewMemory(3, "manhattan")
	require.EqualError(t, err, `metric: got "manhattan", want "cosine" or "euclidean"`)
}

func TestMemorySearchOfKIsAPrefixOfAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m := newMemory(t, 5, vectordb.Cosine)
	for i := range 60 {
		// Only five directions, so there are many ties.
		vector := make([]float32, 5)
		vector[random.IntN(5)] = 1
		require.NoError(t, m.Upsert(t.Context(), vectordb.Record{ID: fmt.Sprint(i), Vector: vector}))
	}
	query := []float32{0.8, 0.6, 0, 0, 0}
	all, err := m.Search(t.Context(), query, 60)
	require.NoError(t, err)
	require.True(t, slices.IsSortedFunc(all, func(a, b vectordb.Match) int {
		if a.Distance != b.Distance {
			return int((a.Distance - b.Distance) * 1000)
		}
		return strings.Compare(a.ID, b.ID)
	}))
	for k := 1; k < 60; k++ {
		some, err := m.Search(t.Context(), query, k)
		require.NoError(t, err)
		require.Equal(t, all[:k], some, k)
	}
}

func TestMemorySearchAllocatesOnlyItsResult(t *testing.T) {
	m, query := filledMemory(t, 100, 256)
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := m.Search(t.Context(), query, 3); err != nil {
			t.Error(err)
		}
	})
	require.LessOrEqual(t, allocations, 1.0)
}

func BenchmarkMemorySearch(b *testing.B) {
	for _, dimensions := range []int{256, 1024} {
		for _, records := range []int{3, 100, 1000} {
			b.Run(fmt.Sprintf("%dx%d", records, dimensions), func(b *testing.B) {
				m, query := filledMemory(b, records, dimensions)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := m.Search(b.Context(), query, 1); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// filledMemory returns a memory of random vectors, and another one as query.
func filledMemory(tb testing.TB, records, dimensions int) (*vectordb.Memory, []float32) {
	tb.Helper()
	m := newMemory(tb, dimensions, vectordb.Cosine)
	require.NoError(tb, m.Upsert(tb.Context(), storetest.RandomRecords(records, dimensions)...))
	return m, storetest.RandomRecords(records+1, dimensions)[records].Vector
}
