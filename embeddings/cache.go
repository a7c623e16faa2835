package embeddings

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// CacheOptions bounds a [Cache]. Zero values mean the defaults.
type CacheOptions struct {
	// MaxBytes bounds the memory of the kept vectors, about. Default 64 MiB.
	MaxBytes uint64
	// TTL is how long a vector is kept. By default only MaxBytes ends its stay.
	TTL time.Duration
	// LoadTimeout bounds one call of the embedder, whoever waits for it. Default 5 s.
	LoadTimeout time.Duration
}

// entryOverhead is about what the key and the bookkeeping of an entry take.
const entryOverhead = 160

// keyBuffer is the length of model and text up to which a key needs no memory.
const keyBuffer = 2048

type cacheKey [sha256.Size]byte

// Cache remembers vectors, and makes one call for equal texts that are asked for
// at the same time. It keeps hashes of the texts, not the texts. Errors are not
// kept; nil vectors are.
//
// Each load runs on its own, so that a caller that goes away takes nothing from
// the others. It is given up when all of its callers were cancelled. A caller
// whose deadline passed does not count as gone: the vector it was too early for
// serves the next request, and the guard behind learns how slow the embedder is.
//
// The vectors it returns are shared and must not be written to.
type Cache struct {
	next    Embedder
	prefix  string
	timeout time.Duration
	kept    *otter.Cache[cacheKey, []float32]

	hits, misses, joined atomic.Uint64

	mu      sync.Mutex
	loads   map[cacheKey]*load
	closed  bool
	running sync.WaitGroup
}

// CacheStats counts texts since the start, and what is kept now.
type CacheStats struct {
	// Hits were answered from memory, Misses by a call of the embedder, and Joined
	// by the call that another caller had made.
	Hits, Misses, Joined uint64
	// Entries and Bytes are what is kept, about.
	Entries int
	Bytes   uint64
}

// NewCache returns a cache before next. Close ends it.
func NewCache(next Embedder, options CacheOptions) (*Cache, error) {
	if options.MaxBytes == 0 {
		options.MaxBytes = 64 << 20
	}
	if options.LoadTimeout <= 0 {
		options.LoadTimeout = defaultTimeout
	}
	kept := &otter.Options[cacheKey, []float32]{
		MaximumWeight: options.MaxBytes,
		Weigher:       func(_ cacheKey, v []float32) uint32 { return uint32(entryOverhead + 4*len(v)) },
	}
	if options.TTL > 0 {
		kept.ExpiryCalculator = otter.ExpiryWriting[cacheKey, []float32](options.TTL)
	}
	memory, err := otter.New(kept)
	if err != nil {
		return nil, fmt.Errorf("make embedding cache: %w", err)
	}
	return &Cache{
		next:    next,
		prefix:  next.Info().Model + "\x00",
		timeout: options.LoadTimeout,
		kept:    memory,
		loads:   make(map[cacheKey]*load),
	}, nil
}

// Info describes the model behind the cache.
func (c *Cache) Info() Info { return c.next.Info() }

// Stats returns the counts.
func (c *Cache) Stats() CacheStats {
	return CacheStats{
		Hits:    c.hits.Load(),
		Misses:  c.misses.Load(),
		Joined:  c.joined.Load(),
		Entries: c.kept.EstimatedSize(),
		Bytes:   c.kept.WeightedSize(),
	}
}

// Close gives up the running loads, waits for them, and lets go of the vectors.
// It does not close the embedder behind.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	for _, l := range c.loads {
		l.cancel()
	}
	c.mu.Unlock()
	c.running.Wait()
	c.kept.InvalidateAll()
	c.kept.StopAllGoroutines()
	return nil
}

// Embed returns kept vectors, and asks for all others in one call.
func (c *Cache) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	var missing []int
	for i, text := range texts {
		v, ok := c.kept.GetIfPresent(c.key(text))
		if !ok {
			missing = append(missing, i)
		}
		vectors[i] = v
	}
	c.hits.Add(uint64(len(texts) - len(missing)))
	if len(missing) == 0 {
		return vectors, nil
	}
	if ctx.Err() != nil {
		return nil, ended(ctx.Err())
	}
	tickets, err := c.order(ctx, texts, missing)
	if err != nil {
		return nil, err
	}
	for n, i := range missing {
		if vectors[i], err = tickets[n].wait(ctx); err != nil {
			c.leave(ctx, tickets)
			return nil, err
		}
	}
	return vectors, nil
}

// key does not use a pooled buffer: one would keep the text.
func (c *Cache) key(text string) cacheKey {
	var buffer [keyBuffer]byte
	return sha256.Sum256(append(append(buffer[:0], c.prefix...), text...))
}

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
				c.hits.Add(1)
				tickets = append(tickets, ticket{ready: v})
				continue
			}
			l = fresh
			c.loads[key] = l
			l.keys, l.texts = append(l.keys, key), append(l.texts, texts[i])
			c.misses.Add(1)
		} else {
			c.joined.Add(1)
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
		vectors, err := c.next.Embed(ctx, l.texts)
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
