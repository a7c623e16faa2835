package build

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"semlb/vectordb"
)

// resizableStore is an instance's store of vectors as wide as the embedding model's.
// The width of a remote model is known for sure only after its first response: a
// store that was opened for another width is then replaced by an empty one.
type resizableStore struct {
	open    func(width int) (vectordb.Store, error)
	current atomic.Pointer[widthStore]

	mu       sync.Mutex // held while current is replaced
	replaced []vectordb.Store
}

var _ vectordb.Store = (*resizableStore)(nil)

// widthStore is a store of vectors of one width.
type widthStore struct {
	vectordb.Store
	width int
}

func openResizable(width int, open func(int) (vectordb.Store, error)) (*resizableStore, error) {
	s := &resizableStore{open: open}
	return s, s.resize(width)
}

// resize replaces the store, unless it has that width.
func (s *resizableStore) resize(width int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.current.Load()
	if before != nil && before.width == width {
		return nil
	}
	store, err := s.open(width)
	if err != nil {
		return fmt.Errorf("open store for vectors of %d dimensions: %w", width, err)
	}
	s.current.Store(&widthStore{Store: store, width: width})
	if before != nil { // a search may be in flight, so Close closes it
		s.replaced = append(s.replaced, before.Store)
	}
	return nil
}

func (s *resizableStore) Upsert(ctx context.Context, records ...vectordb.Record) error {
	return s.current.Load().Upsert(ctx, records...)
}

func (s *resizableStore) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	return s.current.Load().Get(ctx, ids...)
}

func (s *resizableStore) Search(ctx context.Context, vector []float32, k int) ([]vectordb.Match, error) {
	return s.current.Load().Search(ctx, vector, k)
}

func (s *resizableStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := []error{s.current.Load().Close()}
	for _, store := range s.replaced {
		errs = append(errs, store.Close())
	}
	return errors.Join(errs...)
}

// width is that of the current store.
func (s *resizableStore) width() int { return s.current.Load().width }

// syncer is the current store if it keeps a copy of its vectors in a server, or nil.
func (s *resizableStore) syncer() vectordb.Syncer {
	store, _ := s.current.Load().Store.(vectordb.Syncer)
	return store
}

// searchesServer reports whether searches of the current store are calls of a server.
func (s *resizableStore) searchesServer() bool {
	store, ok := s.current.Load().Store.(vectordb.ServerSearcher)
	return ok && store.SearchesServer()
}
