package app

import (
	"sync"

	"semlb/embeddings"
)

// pool shares embedders among those who ask for the same one. The last who lets
// go closes it. The zero pool is empty.
type pool struct {
	mu    sync.Mutex
	items map[string]*pooled
}

type pooled struct {
	opened
	users int
}

// get returns the embedder of key, opened at the first asking, and what lets go of
// it.
func (p *pool) get(key string, open func() (opened, error)) (embeddings.Embedder, func() error, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	item := p.items[key]
	if item == nil {
		o, err := open()
		if err != nil {
			return nil, nil, err
		}
		item = &pooled{opened: o}
		if p.items == nil {
			p.items = make(map[string]*pooled)
		}
		p.items[key] = item
	}
	item.users++
	return item.embedder, func() error { return p.release(key, item) }, nil
}

func (p *pool) release(key string, item *pooled) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	item.users--
	if item.users > 0 {
		return nil
	}
	delete(p.items, key)
	return item.close()
}

// all are the embedders that someone uses.
func (p *pool) all() []opened {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]opened, 0, len(p.items))
	for _, item := range p.items {
		all = append(all, item.opened)
	}
	return all
}
