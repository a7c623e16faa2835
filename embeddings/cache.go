package embeddings

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
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
	// Count is told of n more vectors or calls with a result, often and by several
	// goroutines at once. Nil tells nobody.
	Count func(r Result, n int)
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
	count   func(Result, int)

	mu      sync.Mutex
	loads   map[cacheKey]*load
	closed  bool
	running sync.WaitGroup
}

// CacheStats is what is kept now, about.
type CacheStats struct {
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
	if options.Count == nil {
		options.Count = func(Result, int) {}
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
		count:   options.Count,
		loads:   make(map[cacheKey]*load),
	}, nil
}

// Info describes the model behind the cache.
func (c *Cache) Info() Info { return c.next.Info() }

// Stats returns what is kept.
func (c *Cache) Stats() CacheStats {
	return CacheStats{Entries: c.kept.EstimatedSize(), Bytes: c.kept.WeightedSize()}
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
	if n := len(texts) - len(missing); n > 0 {
		c.count(Hit, n)
	}
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
