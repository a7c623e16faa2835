package build

import (
	"sync"

	"semlb/embeddings"
)

// embedderHandle is an open embedder with the layers in front of it.
type embedderHandle struct {
	embedder embeddings.Embedder
	cache    *embeddings.Cache
	guard    *embeddings.Guard // nil for the built-in model, which needs none
	close    func() error
}

// embedderPool shares embedders between the instances that configure the same one. The
// last user closes an embedder. The zero pool is empty.
type embedderPool struct {
	mu    sync.Mutex
	items map[string]*refCounted
}

type refCounted struct {
	*embedderHandle
	users int
}

// acquire returns the embedder of key, which the first user opens, and its release
// function.
func (p *embedderPool) acquire(key string, open func() (*embedderHandle, error)) (embeddings.Embedder, func() error, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	item := p.items[key]
	if item == nil {
		handle, err := open()
		if err != nil {
			return nil, nil, err
		}
		item = &refCounted{embedderHandle: handle}
		if p.items == nil {
			p.items = make(map[string]*refCounted)
		}
		p.items[key] = item
	}
	item.users++
	return item.embedder, func() error { return p.release(key, item) }, nil
}

func (p *embedderPool) release(key string, item *refCounted) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	item.users--
	if item.users > 0 {
		return nil
	}
	delete(p.items, key)
	return item.close()
}

// sum adds up a figure over the open embedders.
func (p *embedderPool) sum(figure func(*embedderHandle) float64) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	total := 0.0
	for _, item := range p.items {
		total += figure(item.embedderHandle)
	}
	return total
}

// EndEmbedding ends the calls of all embedders: a decision that needs one is made without
// it from now on.
func (b *Builder) EndEmbedding() {
	b.embedders.mu.Lock()
	defer b.embedders.mu.Unlock()
	for _, item := range b.embedders.items {
		item.cache.EndCalls()
	}
}

// OpenGuards is the number of embedders whose circuit breaker is open.
func (b *Builder) OpenGuards() float64 {
	return b.embedders.sum(func(e *embedderHandle) float64 {
		if e.guard != nil && e.guard.Open() {
			return 1
		}
		return 0
	})
}

// CachedBytes is about how much memory the cached vectors take.
func (b *Builder) CachedBytes() float64 {
	return b.embedders.sum(func(e *embedderHandle) float64 { return float64(e.cache.Stats().Bytes) })
}
