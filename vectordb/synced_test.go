package vectordb_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/vectordb"
	"semlb/vectordb/storetest"
)

// flaky is a memory that fails on demand.
type flaky struct {
	*vectordb.Memory
	mu      sync.Mutex
	err     error
	upserts int
}

func newFlaky(t *testing.T) *flaky { return &flaky{Memory: newMemory(t, 2, vectordb.Cosine)} }

func (m *flaky) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *flaky) Upsert(ctx context.Context, records ...vectordb.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.upserts++
	if m.err != nil {
		return m.err
	}
	return m.Memory.Upsert(ctx, records...)
}

func (m *flaky) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	return m.Memory.Get(ctx, ids...)
}

func (m *flaky) Search(context.Context, []float32, int) ([]vectordb.Match, error) {
	panic("the backing is never searched")
}

// hanging blocks an Upsert until its context ends.
type hanging struct{ *flaky }

func (h hanging) Upsert(ctx context.Context, _ ...vectordb.Record) error {
	<-ctx.Done()
	return ctx.Err()
}

func newSynced(t *testing.T, backing vectordb.Store) *vectordb.Synced {
	t.Helper()
	s, err := vectordb.NewSynced(2, vectordb.Cosine, backing)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

var (
	east  = []float32{1, 0}
	north = []float32{0, 1}
)

var errDown = errors.New("server is down")

func TestSyncedKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dimensions int, metric vectordb.Metric) vectordb.Store {
		s, err := vectordb.NewSynced(dimensions, metric, newMemory(t, dimensions, metric))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	})
}

func TestSyncedWritesToBoth(t *testing.T) {
	backing := newFlaky(t)
	s := newSynced(t, backing)
	require.NoError(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}))
	storetest.RequireKept(t, backing.Memory, map[string][]float32{"a": east})
}

func TestSyncedGetReadsTheBackingOnce(t *testing.T) {
	backing := newFlaky(t)
	require.NoError(t, backing.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}))
	s := newSynced(t, backing)
	storetest.RequireKept(t, s, map[string][]float32{"a": east})
	backing.fail(errDown)
	storetest.RequireKept(t, s, map[string][]float32{"a": east})
	matches, err := s.Search(t.Context(), east, 1)
	require.NoError(t, err)
	require.Equal(t, []vectordb.Match{{ID: "a"}}, matches)
}

func TestSyncedServesFromMemoryWhenTheBackingFails(t *testing.T) {
	backing := newFlaky(t)
	s := newSynced(t, backing)
	backing.fail(errDown)

	err := s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east})
	var backingErr *vectordb.BackingError
	require.ErrorAs(t, err, &backingErr)
	require.Equal(t, "upsert", backingErr.Op)
	require.ErrorIs(t, err, errDown)
	matches, err := s.Search(t.Context(), east, 1)
	require.NoError(t, err)
	require.Len(t, matches, 1)

	got, err := s.Get(t.Context(), "a", "b")
	require.ErrorAs(t, err, &backingErr)
	require.Equal(t, "get", backingErr.Op)
	require.Equal(t, map[string][]float32{"a": east}, got)
}

func TestSyncedUpsertWritesWhatTheBackingMissed(t *testing.T) {
	backing := newFlaky(t)
	s := newSynced(t, backing)
	backing.fail(errDown)
	require.Error(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}))
	require.Error(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: north}))
	backing.fail(nil)
	require.NoError(t, s.Upsert(t.Context(), vectordb.Record{ID: "b", Vector: east}))
	storetest.RequireKept(t, backing.Memory, map[string][]float32{"a": north, "b": east})
}

func TestSyncWritesWhatTheBackingLacks(t *testing.T) {
	backing := newFlaky(t)
	s := newSynced(t, backing)
	require.NoError(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}))
	written, err := s.Sync(t.Context())
	require.NoError(t, err)
	require.Zero(t, written)

	backing.Memory = newMemory(t, 2, vectordb.Cosine) // as after a restart
	written, err = s.Sync(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, written)
	storetest.RequireKept(t, backing.Memory, map[string][]float32{"a": east})
}

func TestSyncWritesNewerValues(t *testing.T) {
	backing := newFlaky(t)
	s := newSynced(t, backing)
	require.NoError(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}))
	backing.fail(errDown)
	require.Error(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: north}))
	_, err := s.Sync(t.Context())
	require.ErrorIs(t, err, errDown)
	backing.fail(nil)
	written, err := s.Sync(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, written)
	storetest.RequireKept(t, backing.Memory, map[string][]float32{"a": north})
}

func TestSyncedRefusesBadRecordsBeforeTheBacking(t *testing.T) {
	backing := newFlaky(t)
	s := newSynced(t, backing)
	err := s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: []float32{1, 1}})
	require.ErrorIs(t, err, vectordb.ErrVector)
	var backingErr *vectordb.BackingError
	require.NotErrorAs(t, err, &backingErr)
	require.Zero(t, backing.upserts)
}

func TestSyncedUpsertWaitsForAnotherNoLongerThanItsContext(t *testing.T) {
	s := newSynced(t, hanging{newFlaky(t)})
	slow, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = s.Upsert(slow, vectordb.Record{ID: "a", Vector: east}) })
	defer group.Wait()
	defer cancel()

	quick, stop := context.WithTimeout(t.Context(), 2*time.Second) // it ends while the call waits
	defer stop()
	start := time.Now()
	require.ErrorIs(t, s.Upsert(quick, vectordb.Record{ID: "b", Vector: north}), context.DeadlineExceeded)
	require.Less(t, time.Since(start), 20*time.Second, "the other one hangs until the end of the test")
	storetest.RequireKept(t, s, map[string][]float32{"b": north})
}

func TestSyncedMemoryAndBackingAgreeAfterConcurrentUpserts(t *testing.T) {
	backing := newFlaky(t)
	s := newSynced(t, backing)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			vector := [][]float32{east, north}[i%2]
			if err := s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: vector}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	inMemory, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	storetest.RequireKept(t, backing.Memory, inMemory)
}

// overtaken calls upsert while a Get that has read the old value is in flight.
type overtaken struct {
	*flaky
	upsert func()
}

func (o *overtaken) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	before, err := o.flaky.Get(ctx, ids...)
	o.upsert()
	return before, err
}

func TestSyncedGetDoesNotUndoAnUpsert(t *testing.T) {
	backing := &overtaken{flaky: newFlaky(t)}
	require.NoError(t, backing.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}))
	s := newSynced(t, backing)
	backing.upsert = func() {
		if err := s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: north}); err != nil {
			t.Error(err)
		}
	}
	_, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	storetest.RequireKept(t, s, map[string][]float32{"a": north})
}
