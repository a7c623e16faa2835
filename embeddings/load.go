package embeddings

import (
	"context"
	"errors"
)

// order returns a ticket for each missing text, on a load that runs already or
// on the one that it starts for all the rest.
func (c *Cache) order(ctx context.Context, texts []string, missing []int) ([]ticket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, &Error{Kind: KindUnavailable, Err: ErrClosed}
	}
	fresh := &load{done: make(chan struct{})}
	tickets := make([]ticket, 0, len(missing))
	joined := make(map[*load]bool, 1)
	for _, i := range missing {
		key := c.key(texts[i])
		l, running := c.loads[key]
		if !running {
			// A load may have ended between the first look and the lock.
			if v, ok := c.kept.GetIfPresent(key); ok {
				c.count(Hit, 1)
				tickets = append(tickets, ticket{ready: v})
				continue
			}
			l = fresh
			c.loads[key] = l
			l.keys, l.texts = append(l.keys, key), append(l.texts, texts[i])
		} else {
			c.count(Joined, 1)
		}
		if !joined[l] {
			joined[l] = true
			l.callers++
		}
		tickets = append(tickets, ticket{load: l, key: key})
	}
	if len(fresh.keys) > 0 {
		c.start(ctx, fresh)
	}
	return tickets, nil
}

// start runs l with the values of ctx but not its end. c.mu is held.
func (c *Cache) start(ctx context.Context, l *load) {
	ctx, l.cancel = context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
	c.running.Go(func() {
		defer l.cancel()
		vectors, err := c.ask(ctx, l.texts)
		if err == nil && len(vectors) != len(l.texts) {
			err = invalid("got %d vectors, want %d", len(vectors), len(l.texts))
		}
		c.finish(l, vectors, err)
	})
}

func (c *Cache) finish(l *load, vectors [][]float32, err error) {
	l.err = err
	if err != nil && c.isClosed() {
		l.err = &Error{Kind: KindUnavailable, Err: ErrClosed}
	}
	c.count(resultOf(l.err), 1)
	if err == nil {
		l.vectors = make(map[cacheKey][]float32, len(l.keys))
		for i, key := range l.keys {
			l.vectors[key] = vectors[i]
			c.kept.Set(key, vectors[i])
		}
	}
	c.mu.Lock()
	c.forget(l)
	c.mu.Unlock()
	close(l.done)
}

func (c *Cache) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// forget removes l from the running loads. c.mu is held.
func (c *Cache) forget(l *load) {
	for _, key := range l.keys {
		if c.loads[key] == l {
			delete(c.loads, key)
		}
	}
}

// leave gives up the loads of a cancelled caller that nobody else waits for.
func (c *Cache) leave(ctx context.Context, tickets []ticket) {
	if !errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	left := make(map[*load]bool, 1)
	for _, t := range tickets {
		if t.load == nil || left[t.load] {
			continue
		}
		left[t.load] = true
		t.load.callers--
		if t.load.callers == 0 {
			// Whoever asks from now on starts anew rather than join a dying load.
			c.forget(t.load)
			t.load.cancel()
		}
	}
}

// load is one call of the embedder. callers is guarded by the cache's mutex;
// vectors and err are written before done is closed.
type load struct {
	keys    []cacheKey
	texts   []string
	cancel  context.CancelFunc
	callers int

	done    chan struct{}
	vectors map[cacheKey][]float32
	err     error
}

// ticket is one caller's share in a load, or a vector that was there after all.
type ticket struct {
	ready []float32
	load  *load
	key   cacheKey
}

func (t ticket) wait(ctx context.Context) ([]float32, error) {
	if t.load == nil {
		return t.ready, nil
	}
	select {
	case <-t.load.done:
		return t.load.vectors[t.key], t.load.err
	case <-ctx.Done():
		return nil, ended(ctx.Err())
	}
}
