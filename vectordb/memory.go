package vectordb

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Memory is a [Store] within the process. It compares a query with every record,
// which is faster than an index for the number of descriptions that a configuration
// has: a search among 100 vectors of 1,024 dimensions takes less than 0.1 ms.
//
// Searches take no lock and see all of an Upsert or nothing of it.
type Memory struct {
	space Space
	// writing is held while rows are replaced.
	writing sync.Mutex
	rows    atomic.Pointer[[]row]
}

// row is a record with what searches need of it.
type row struct {
	id     string
	vector []float32
	length float64
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store of vectors with that many dimensions, compared by
// metric.
func NewMemory(dimensions int, metric Metric) (*Memory, error) {
	m := &Memory{space: Space{Dimensions: dimensions, Metric: metric}}
	if err := m.space.Validate(); err != nil {
		return nil, err
	}
	m.rows.Store(&[]row{})
	return m, nil
}

// Upsert is described at [Store].
func (m *Memory) Upsert(ctx context.Context, records ...Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	owned, err := m.space.Own(records)
	if err != nil {
		return err
	}
	m.put(owned)
	return nil
}

// put adds records that [Space.Own] has returned. It keeps them without a copy.
func (m *Memory) put(owned []Record) {
	added := newRows(owned)
	m.replace(func(rows []row) []row { return merge(rows, added) })
}

// Refresh calls fetch, adds copies of the vectors that it returns, and returns its
// results. A vector that an Upsert has put here while fetch ran is newer, and stays.
func (m *Memory) Refresh(fetch func() (map[string][]float32, error)) (map[string][]float32, error) {
	before := m.snapshot()
	vectors, err := fetch()
	if err != nil {
		return nil, err
	}
	return vectors, m.addFetched(before, vectors)
}

// snapshot returns the rows as they are now.
func (m *Memory) snapshot() []row { return *m.rows.Load() }

// addFetched adds copies of vectors that were read from another store after before
// was taken. Rows that are no longer those of before are newer, and stay.
func (m *Memory) addFetched(before []row, vectors map[string][]float32) error {
	if len(vectors) == 0 {
		return nil
	}
	records := make([]Record, 0, len(vectors))
	for id, vector := range vectors {
		records = append(records, Record{ID: id, Vector: vector})
	}
	owned, err := m.space.Own(records)
	if err != nil {
		return err
	}
	added := newRows(owned)
	m.replace(func(rows []row) []row {
		return merge(rows, slices.DeleteFunc(added, func(r row) bool {
			return !same(find(before, r.id), find(rows, r.id))
		}))
	})
	return nil
}

// replace swaps the rows for what change returns.
func (m *Memory) replace(change func([]row) []row) {
	m.writing.Lock()
	defer m.writing.Unlock()
	rows := change(*m.rows.Load())
	m.rows.Store(&rows)
}

func newRows(owned []Record) []row {
	rows := make([]row, len(owned))
	for i, r := range owned {
		rows[i] = row{id: r.ID, vector: r.Vector, length: math.Sqrt(dot(r.Vector, r.Vector))}
	}
	return rows
}

// merge returns the rows of both lists ordered by ID. A row in added replaces one
// with the same ID in old.
func merge(old, added []row) []row {
	all := make([]row, 0, len(old)+len(added))
	for len(old) > 0 && len(added) > 0 {
		order := strings.Compare(old[0].id, added[0].id)
		if order < 0 {
			all, old = append(all, old[0]), old[1:]
			continue
		}
		if order == 0 {
			old = old[1:]
		}
		all, added = append(all, added[0]), added[1:]
	}
	return append(append(all, old...), added...)
}

// Get is described at [Store].
func (m *Memory) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows := m.snapshot()
	found := make(map[string][]float32, len(ids))
	for _, id := range ids {
		if r := find(rows, id); r != nil {
			found[id] = slices.Clone(r.vector)
		}
	}
	return found, nil
}

// Search is described at [Store]. It allocates only its result.
func (m *Memory) Search(ctx context.Context, vector []float32, k int) ([]Match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	length, err := m.space.Length(vector)
	if err != nil {
		return nil, err
	}
	rows := m.snapshot()
	nearest := make([]Match, 0, min(max(k, 0), len(rows)))
	if cap(nearest) == 0 {
		return nil, nil
	}
	for _, r := range rows {
		cos := dot(r.vector, vector) / (r.length * length)
		nearest = keepNearest(nearest, Match{ID: r.id, Distance: m.space.distance(cos)})
	}
	return nearest, nil
}

// keepNearest adds a match while nearest has room, and then only in place of a
// farther one. The matches are sorted from the moment nearest is full.
func keepNearest(nearest []Match, m Match) []Match {
	if len(nearest) < cap(nearest) {
		nearest = append(nearest, m)
		if len(nearest) == cap(nearest) {
			slices.SortFunc(nearest, CompareMatches)
		}
		return nearest
	}
	last := len(nearest) - 1
	if CompareMatches(m, nearest[last]) >= 0 {
		return nearest
	}
	at, _ := slices.BinarySearchFunc(nearest, m, CompareMatches)
	copy(nearest[at+1:], nearest[at:last])
	nearest[at] = m
	return nearest
}

// Close does nothing.
func (m *Memory) Close() error { return nil }

// Records returns all records, ordered by ID. The vectors are the store's own and
// must not be written to.
func (m *Memory) Records() []Record {
	rows := m.snapshot()
	all := make([]Record, len(rows))
	for i, r := range rows {
		all[i] = Record{ID: r.id, Vector: r.vector}
	}
	return all
}

// find returns the row of an ID, or nil.
func find(rows []row, id string) *row {
	at, ok := slices.BinarySearchFunc(rows, id, func(r row, id string) int {
		return strings.Compare(r.id, id)
	})
	if !ok {
		return nil
	}
	return &rows[at]
}

// same reports whether two rows, or their absence, come from the same Upsert.
func same(a, b *row) bool {
	if a == nil || b == nil {
		return a == b
	}
	return &a.vector[0] == &b.vector[0]
}
