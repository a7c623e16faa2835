package storetest

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/vectordb"
)

// patience is how long a call may go on after its context has ended.
const patience = 10 * time.Second

// badVectors are vectors that no store keeps.
func badVectors() map[string][]float32 {
	set := func(i int, x float64) []float32 {
		v := at(0)
		v[i] = float32(x)
		return v
	}
	return map[string][]float32{
		"nil":          nil,
		"too narrow":   at(0)[:width-1],
		"too wide":     append(at(0), 0),
		"zero":         make([]float32, width),
		"NaN":          set(3, math.NaN()),
		"Inf":          set(3, math.Inf(1)),
		"negative Inf": set(0, math.Inf(-1)),
		"too long":     set(1, 0.5),
		"too short":    set(0, 0.9),
	}
}

func testBadRecords(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	for name, bad := range badVectors() {
		good := vectordb.Record{ID: "good", Vector: at(0)}
		err := s.Upsert(t.Context(), good, vectordb.Record{ID: "bad", Vector: bad})
		require.ErrorIs(t, err, vectordb.ErrVector, name)
		err = s.Upsert(t.Context(), vectordb.Record{ID: "good", Vector: bad}, good)
		require.ErrorIs(t, err, vectordb.ErrVector, name)
	}
	err := s.Upsert(t.Context(), vectordb.Record{ID: "good", Vector: at(0)}, vectordb.Record{Vector: at(0)})
	require.ErrorIs(t, err, vectordb.ErrRecord)
	got, err := s.Get(t.Context(), "good", "bad")
	require.NoError(t, err)
	require.Empty(t, got)
	require.Empty(t, search(t, s, at(0), 9))
}

func testBadQueries(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	upsert(t, s, vectordb.Record{ID: "a", Vector: at(0)})
	for name, bad := range badVectors() {
		_, err := s.Search(t.Context(), bad, 1)
		require.ErrorIs(t, err, vectordb.ErrVector, name)
	}
}

func testSharing(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	mine := at(0)
	upsert(t, s, vectordb.Record{ID: "a", Vector: mine})
	mine[0] = 0
	got, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, at(0), got["a"])
	got["a"][0] = 0
	require.InDelta(t, 0, search(t, s, at(0), 1)[0].Distance, closeTo)
}

func testMany(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	records := make([]vectordb.Record, 500)
	for i := range records {
		records[i] = vectordb.Record{ID: fmt.Sprintf("%03d", i), Vector: at(float64(i) * 0.3)}
	}
	upsert(t, s, records...)
	matches := search(t, s, at(0), len(records))
	require.Len(t, matches, len(records))
	for i, m := range matches {
		require.Equal(t, records[i].ID, m.ID)
	}
	names := ids(matches)
	got, err := s.Get(t.Context(), names...)
	require.NoError(t, err)
	require.Len(t, got, len(records))
	require.Equal(t, names[:20], ids(search(t, s, at(0), 20)))
}

// testConcurrency moves records while readers check that they see each of them exactly
// once, with its old or its new vector.
func testConcurrency(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	records := func(turn int) []vectordb.Record {
		return []vectordb.Record{
			{ID: "a", Vector: at(float64(turn % 90))},
			{ID: "b", Vector: at(float64(90 + turn%90))},
		}
	}
	upsert(t, s, records(0)...)
	var group sync.WaitGroup
	errs := make(chan error, 6)
	for worker := range 3 {
		group.Go(func() {
			for turn := range 30 {
				if err := s.Upsert(t.Context(), records(turn*worker)...); err != nil {
					errs <- err
					return
				}
			}
		})
		group.Go(func() {
			for range 60 {
				if err := readBoth(t.Context(), s); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
}

func readBoth(ctx context.Context, s vectordb.Store) error {
	matches, err := s.Search(ctx, at(0), 5)
	if err != nil {
		return err
	}
	if len(matches) != 2 || matches[0].ID == matches[1].ID {
		return fmt.Errorf("search: got %v, want a and b", matches)
	}
	got, err := s.Get(ctx, "a", "b")
	if err == nil && len(got) != 2 {
		err = fmt.Errorf("get: got %v, want a and b", got)
	}
	return err
}

func testContext(t *testing.T, open Open) {
	s := open(t, width, vectordb.Cosine)
	upsert(t, s, vectordb.Record{ID: "a", Vector: at(0)})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	for _, ctx := range []context.Context{cancelled, expired} {
		start := time.Now()
		require.ErrorIs(t, s.Upsert(ctx, vectordb.Record{ID: "b", Vector: at(0)}), ctx.Err())
		_, err := s.Get(ctx, "a")
		require.ErrorIs(t, err, ctx.Err())
		_, err = s.Search(ctx, at(0), 1)
		require.ErrorIs(t, err, ctx.Err())
		require.Less(t, time.Since(start), patience)
	}
	require.Equal(t, []string{"a"}, ids(search(t, s, at(0), 9)))
}
