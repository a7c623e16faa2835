package vectordb

import (
	"context"
	"fmt"
	"sync"
)

// Synced is a Store which answers from memory and keeps another store, the
// backing, up to date behind it. What it is for: searches never wait for a server
// nor fail because of one, and yet replicas and restarts find in the backing the
// vectors that somebody has paid for already.
//
// It has no goroutine. What the backing has missed goes to it with the next
// Upsert, or when the owner calls [Synced.Sync].
type Synced struct {
	memory  *Memory
	backing Store

	// pushing holds the turn to write to the backing. It is a channel, because
	// waiting for a turn ends with the caller's context.
	pushing chan struct{}

	// mu guards unsaved together with the memory's content: an ID is in unsaved
	// from before its vector is in memory until the backing has taken it.
	mu      sync.Mutex
	unsaved map[string]struct{}
}

var _ Store = (*Synced)(nil)

// BackingError is a failure of the backing of a [Synced]. Whatever the call had to
// do in memory is done, so the owner can count it, log it and go on.
type BackingError struct {
	// Op is what the backing was asked for: "get" or "upsert".
	Op string
	// Err is the backing's answer.
	Err error
}

// Error says what failed.
func (e *BackingError) Error() string { return fmt.Sprintf("%s in backing store: %v", e.Op, e.Err) }

// Unwrap returns the backing's error.
func (e *BackingError) Unwrap() error { return e.Err }

// NewSynced makes an empty memory of vectors of a width, compared by metric, in
// front of backing, which has the same width. Closing it closes backing too.
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
// unless the error is an ErrVector, an ErrRecord or the context's; a
// [*BackingError] says that the backing has yet to get them.
func (s *Synced) Upsert(ctx context.Context, records ...Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	owned, err := s.memory.space.own(records)
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

// Get is described at [Store]. What memory lacks is looked for in the backing and
// then kept in memory. With a [*BackingError] the answer holds what memory has.
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
	if err != nil {
		return found, &BackingError{Op: "get", Err: err}
	}
	if err := s.memory.learn(before, fetched); err != nil {
		return found, &BackingError{Op: "get", Err: err}
	}
	for id, vector := range fetched {
		found[id] = vector
	}
	return found, nil
}

// Search is described at [Store]. It never asks the backing.
func (s *Synced) Search(ctx context.Context, vector []float32, k int) ([]Match, error) {
	return s.memory.Search(ctx, vector, k)
}

// Sync writes to the backing what memory holds and the backing does not, for
// example because it was away or has come back empty, and returns the number of
// records written. The owner calls it after a [*BackingError] and from time to
// time. Its errors are of type [*BackingError].
func (s *Synced) Sync(ctx context.Context) (int, error) {
	all := s.memory.records()
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

// push writes to the backing, one caller at a time, what it has not got yet. Each
// turn writes what memory holds by then, so that of two values for an ID the last
// one ends up in both.
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
		s.giveBack(records)
		return 0, &BackingError{Op: "upsert", Err: err}
	}
	return len(records), nil
}

func (s *Synced) takeUnsaved() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	var records []Record
	if len(s.unsaved) > 0 {
		for _, r := range s.memory.records() {
			if _, ok := s.unsaved[r.ID]; ok {
				records = append(records, r)
			}
		}
	}
	clear(s.unsaved)
	return records
}

func (s *Synced) giveBack(records []Record) {
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
