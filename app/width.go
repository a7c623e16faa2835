package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"semlb/embeddings"
	"semlb/vectordb"
)

// sized is a plugin's store for vectors of the embedding model's width. That of a
// remote model is known for sure only when it has answered: the store that was opened
// for another one is then replaced by an empty one of the right width.
type sized struct {
	open    func(width int) (vectordb.Store, error)
	current atomic.Pointer[ofWidth]

	mu       sync.Mutex // held while current is replaced
	replaced []vectordb.Store
}

var _ vectordb.Store = (*sized)(nil)

type ofWidth struct {
	vectordb.Store
	width int
}

func openSized(width int, open func(int) (vectordb.Store, error)) (*sized, error) {
	s := &sized{open: open}
	return s, s.resize(width)
}

// resize opens the store anew, unless it has that width.
func (s *sized) resize(width int) error {
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
	s.current.Store(&ofWidth{Store: store, width: width})
	if before != nil { // a search may be under way in it: it is closed with the rest
		s.replaced = append(s.replaced, before.Store)
	}
	return nil
}

func (s *sized) Upsert(ctx context.Context, records ...vectordb.Record) error {
	return s.current.Load().Upsert(ctx, records...)
}

func (s *sized) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	return s.current.Load().Get(ctx, ids...)
}

func (s *sized) Search(ctx context.Context, vector []float32, k int) ([]vectordb.Match, error) {
	return s.current.Load().Search(ctx, vector, k)
}

func (s *sized) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := []error{s.current.Load().Close()}
	for _, store := range s.replaced {
		errs = append(errs, store.Close())
	}
	return errors.Join(errs...)
}

// width is that of the store in use.
func (s *sized) width() int { return s.current.Load().width }

// syncer is the store in use if it is one, or nil.
func (s *sized) syncer() vectordb.Syncer {
	store, _ := s.current.Load().Store.(vectordb.Syncer)
	return store
}

// searchesServer reports whether each search of the store in use is a call of a server.
func (s *sized) searchesServer() bool {
	store, ok := s.current.Load().Store.(vectordb.ServerSearcher)
	return ok && store.SearchesServer()
}

// adopting is a remote embedder behind its cache, whose width is not settled.
type adopting struct {
	*embeddings.Cache
	remote embeddings.WidthAdopter
}

// adopt goes on with the width of the model's own answers, if that is what err is
// about, and says so.
func (parts *pluginParts) adopt(err error) bool {
	var width *embeddings.WidthError
	remote, ok := parts.embedder.(adopting)
	if !ok || !errors.As(err, &width) {
		return false
	}
	remote.remote.Adopt(width.Got)
	return true
}
