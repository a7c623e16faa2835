package vectordb

import (
	"context"
	"fmt"
	"maps"
	"sync"
)

// Synced is a [Store] that searches in memory and keeps another store, the backing,
// up to date behind it. Searches never wait for a server or fail because of one, and
// replicas and restarts still find in the backing the vectors that have been paid for.
//
// It starts no goroutine. Records that the backing has missed are written with the
// next Upsert, or when the owner calls [Synced.Sync].
type Synced struct {
	memory  *Memory
	backing Store

	// pushing is a lock for writes to the backing: the holder has sent to it. It is a
	// channel because waiting for it must end with the caller's context.
	pushing chan struct{}

	// mu guards unsaved together with the memory's content: an ID is in unsaved
	// from before its vector is in memory until the backing has stored it.
	mu      sync.Mutex
	unsaved map[string]struct{}
}

var (
	_ Store  = (*Synced)(nil)
	_ Syncer = (*Synced)(nil)
)

// BackingError is a failure of the backing of a [Synced]. The part of the call that
// concerns memory has succeeded, so the owner can log it and go on.
type BackingError struct {
	// Op is the call of the backing: "get" or "upsert".
	Op string
	// Err is the error of that call.
	Err error
}

// Error names the call and its error.
func (e *BackingError) Error() string { return fmt.Sprintf("%s in backing store: %v", e.Op, e.Err) }

// Unwrap returns the backing's error.
func (e *BackingError) Unwrap() error { return e.Err }

// NewSynced returns a store in front of backing, whose vectors have that many
// dimensions too. Its memory is empty and compares by metric. Closing it closes
// backing.
func NewSynced(dimensions int, metric Metric, backing Store) (*Synced, error) {
	memory, err := NewMemory(dimensions, metric)
	if err != nil {
		return nil, err
	}
	return &Synced{
		memory:  memory,
		backing: backing,
		pushing: make(chan struct{}, 1),
		unsaved: make(map[string]struct{}),
	}, nil
}

// Upsert is described at [Store]. The records are in memory when it returns,
// unless the error is an ErrVector, an ErrRecord or the context's. After a
// [*BackingError] the backing has yet to get them.
func (s *Synced) Upsert(ctx context.Context, records ...Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	owned, err := s.memory.space.Own(records)
	if err != nil {
		return err
	}
	s.mu.Lock()
	for _, r := range owned {
		s.unsaved[r.ID] = struct{}{}
	}
	s.memory.put(owned)
	s.mu.Unlock()
	_, err = s.push(ctx)
	return err
}

// Get is described at [Store]. Vectors that memory lacks are read from the backing
// and then kept in memory. With a [*BackingError] the result holds those in memory.
func (s *Synced) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	before := s.memory.snapshot()
	found, err := s.memory.Get(ctx, ids...)
	if err != nil {
		return nil, err
	}
	missing := absent(ids, found)
	if len(missing) == 0 {
		return found, nil
	}
	fetched, err := s.backing.Get(ctx, missing...)
	if err == nil {
		err = s.memory.addFetched(before, fetched)
	}
	if err != nil {
		return found, &BackingError{Op: "get", Err: err}
	}
	maps.Copy(found, fetched)
	return found, nil
}

// Search is described at [Store]. It never calls the backing.
func (s *Synced) Search(ctx context.Context, vector []float32, k int) ([]Match, error) {
	return s.memory.Search(ctx, vector, k)
}

// Sync writes to the backing the records that it lacks, for example because it was
// unavailable or has restarted empty, and returns their number. The owner calls it
// after a [*BackingError] and from time to time. Its errors are [*BackingError].
func (s *Synced) Sync(ctx context.Context) (int, error) {
	all := s.memory.Records()
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	kept, err := s.backing.Get(ctx, ids...)
	if err != nil {
		return 0, &BackingError{Op: "get", Err: err}
	}
	s.mu.Lock()
	for _, id := range absent(ids, kept) {
		s.unsaved[id] = struct{}{}
	}
	s.mu.Unlock()
	return s.push(ctx)
}

// push writes the unsaved records to the backing, one caller at a time. Each caller
// writes what memory holds by then, so that the last of two values for an ID ends up
// in both.
func (s *Synced) push(ctx context.Context) (int, error) {
	select {
	case s.pushing <- struct{}{}:
		defer func() { <-s.pushing }()
	case <-ctx.Done():
		return 0, &BackingError{Op: "upsert", Err: ctx.Err()}
	}
	records := s.takeUnsaved()
	if len(records) == 0 {
		return 0, nil
	}
	if err := s.backing.Upsert(ctx, records...); err != nil {
		s.markUnsaved(records)
		return 0, &BackingError{Op: "upsert", Err: err}
	}
	return len(records), nil
}

func (s *Synced) takeUnsaved() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var records []Record
	if len(s.unsaved) > 0 {
		for _, r := range s.memory.Records() {
			if _, ok := s.unsaved[r.ID]; ok {
				records = append(records, r)
			}
		}
	}
	clear(s.unsaved)
	return records
}

func (s *Synced) markUnsaved(records []Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		s.unsaved[r.ID] = struct{}{}
	}
}

// Close closes the backing.
func (s *Synced) Close() error {
	if err := s.backing.Close(); err != nil {
		return fmt.Errorf("close backing store: %w", err)
	}
	return nil
}

// absent returns those of ids that are not in found.
func absent(ids []string, found map[string][]float32) []string {
	var missing []string
	for _, id := range ids {
		if _, ok := found[id]; !ok {
			missing = append(missing, id)
		}
	}
	return missing
}
