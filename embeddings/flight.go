package embeddings

import (
	"context"
	"errors"
)

// flight is one call of the embedder for some texts, on a goroutine of its own. Each
// text that waits for it counts as a waiter; when all of them were cancelled, so is the
// call.
type flight struct {
	keys   []cacheKey
	texts  []string
	cancel context.CancelFunc
	// waiters is guarded by the cache's mutex.
	waiters int

	// done is closed when vectors and err are set.
	done    chan struct{}
	vectors map[cacheKey][]float32
	err     error
}

// miss is a text of a lookup whose vector was not in the cache.
type miss struct {
	at     int // in the lookup
	key    cacheKey
	flight *flight // nil if the vector has arrived since
}

// join finds or starts a flight for each miss: those in flight are joined, and one new
// flight takes the rest. Vectors that have arrived since the lookup go into vectors.
func (c *Cache) join(ctx context.Context, texts []string, vectors [][]float32, misses []miss) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return &Error{Kind: KindUnavailable, Err: ErrClosed}
	}
	fresh := &flight{done: make(chan struct{})}
	for i := range misses {
		m := &misses[i]
		if f := c.flights[m.key]; f != nil {
			c.count(Joined, 1)
			m.flight = f
		} else if v, ok := c.kept.GetIfPresent(m.key); ok {
			c.count(Hit, 1)
			vectors[m.at] = v
			continue
		} else {
			c.flights[m.key], m.flight = fresh, fresh
			fresh.keys, fresh.texts = append(fresh.keys, m.key), append(fresh.texts, texts[m.at])
		}
		m.flight.waiters++
	}
	if len(fresh.keys) > 0 {
		c.start(ctx, fresh)
	}
	return nil
}

// start runs f with the values of ctx but not its end. The caller holds c.mu.
func (c *Cache) start(ctx context.Context, f *flight) {
	ctx, f.cancel = context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
	c.running.Go(func() {
		defer f.cancel()
		vectors, err := embedSafely(ctx, c.next, f.texts)
		if err == nil && len(vectors) != len(f.texts) {
			err = Invalid("got %d vectors, want %d", len(vectors), len(f.texts))
		}
		c.finish(f, vectors, err)
	})
}

func (c *Cache) finish(f *flight, vectors [][]float32, err error) {
	f.err = err
	if err != nil && c.isClosed() {
		f.err = &Error{Kind: KindUnavailable, Err: ErrClosed}
	}
	c.count(resultOf(f.err), 1)
	if err == nil {
		f.vectors = make(map[cacheKey][]float32, len(f.keys))
		for i, key := range f.keys {
			f.vectors[key] = vectors[i]
			c.kept.Set(key, vectors[i])
		}
	}
	c.mu.Lock()
	c.forget(f)
	c.mu.Unlock()
	close(f.done)
}

func (c *Cache) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// forget removes f from the flights that can be joined. The caller holds c.mu.
func (c *Cache) forget(f *flight) {
	for _, key := range f.keys {
		if c.flights[key] == f {
			delete(c.flights, key)
		}
	}
}

// leave cancels those flights of a cancelled lookup that have no other waiter.
func (c *Cache) leave(ctx context.Context, misses []miss) {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range misses {
		if m.flight == nil {
			continue
		}
		m.flight.waiters--
		if m.flight.waiters == 0 {
			c.forget(m.flight) // the next lookup starts anew
			m.flight.cancel()
		}
	}
}

// wait waits for the vector of a key.
func (f *flight) wait(ctx context.Context, key cacheKey) ([]float32, error) {
	select {
	case <-f.done:
		return f.vectors[key], f.err
	case <-ctx.Done():
		return nil, Ended(ctx.Err())
	}
}
