package build

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/vectordb"
)

// openMemory opens stores in memory, and records their widths.
func openMemory(widths *[]int) func(int) (vectordb.Store, error) {
	return func(width int) (vectordb.Store, error) {
		*widths = append(*widths, width)
		return vectordb.NewMemory(width, vectordb.Cosine)
	}
}

func TestAStoreIsReplacedOnlyForAnotherWidth(t *testing.T) {
	var widths []int
	s, err := openResizable(2, openMemory(&widths))
	require.NoError(t, err)
	require.NoError(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: []float32{1, 0}}))
	require.NoError(t, s.resize(2))
	found, err := s.Search(t.Context(), []float32{1, 0}, 1)
	require.NoError(t, err)
	require.Len(t, found, 1)

	require.NoError(t, s.resize(3))
	require.Equal(t, []int{2, 3}, widths)
	found, err = s.Search(t.Context(), []float32{1, 0, 0}, 1)
	require.NoError(t, err)
	require.Empty(t, found, "vectors of the old width are gone")
	require.ErrorContains(t, s.resize(0), "open store for vectors of 0 dimensions")
	require.Equal(t, 3, s.width())
	require.NoError(t, s.Close())
}

func TestVectorsOfAnotherWidthAreNotInherited(t *testing.T) {
	var widths []int
	stores := make([]*resizableStore, 3)
	for i, width := range []int{3, 2, 3} {
		var err error
		stores[i], err = openResizable(width, openMemory(&widths))
		require.NoError(t, err)
		vector := make([]float32, width)
		vector[0] = 1
		require.NoError(t, stores[i].Upsert(t.Context(), vectordb.Record{ID: string(rune('a' + i)), Vector: vector}))
	}
	i := &Instance{store: stores[0]}
	before := stores[1:]
	i.predecessors.Store(&before)
	found, err := i.vectors().Get(t.Context(), "a", "b", "c")
	require.NoError(t, err)
	require.Contains(t, found, "a")
	require.Contains(t, found, "c")
	require.NotContains(t, found, "b")
}
