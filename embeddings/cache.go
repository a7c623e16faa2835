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
	// MaxBytes bounds the memory of the vectors, approximately. Default 64 MiB.
	MaxBytes uint64
	// TTL is how long a vector is kept. By default vectors are evicted for MaxBytes
	// only.
	TTL time.Duration
	// LoadTimeout bounds one call of the embedder, however long its callers wait.
	// Default 5 s.
	LoadTimeout time.Duration
	// Count is called with n more texts or calls of a result, often and concurrently.
	// It may be nil.
	Count func(r Result, n int)
}

const (
	defaultMaxBytes    = 64 << 20
	defaultLoadTimeout = 5 * time.Second

	// entryOverhead is about what the key and the bookkeeping of an entry take.
	entryOverhead = 160
	// keyBuffer is the length of model and text up to which a key is computed without
	// allocating.
	keyBuffer = 2048
)

type cacheKey [sha256.Size]byte

// Cache keeps vectors, and makes one call for equal texts that are requested at the same
// time. It keeps hashes of the texts, not the texts. Errors are not kept; nil vectors
// are.
//
// Each call of the embedder runs on its own, so that a caller that cancels does not
// affect the others. It is cancelled when all of its callers were. A caller whose
// deadline expired does not count as cancelled: the vector that came too late for it
// serves the next request, and the guard behind the cache sees how slow the embedder is.
//
// The vectors it returns are shared and must not be written to.
type Cache struct {
	next    Embedder
	prefix  string
	timeout time.Duration
	kept    *otter.Cache[cacheKey, []float32]
	count   func(Result, int)

	mu      sync.Mutex
	flights map[cacheKey]*flight
	closed  bool
	running sync.WaitGroup
}

// CacheStats is the present size of a [Cache], approximately.
type CacheStats struct {
	Entries int
	Bytes   uint64
}

// NewCache returns a cache before next. The owner closes it.
func NewCache(next Embedder, options CacheOptions) (*Cache, error) {
	if options.MaxBytes == 0 {
		options.MaxBytes = defaultMaxBytes
	}
	if options.LoadTimeout <= 0 {
		options.LoadTimeout = defaultLoadTimeout
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
		flights: make(map[cacheKey]*flight),
	}, nil
}

// Info describes the model behind the cache.
func (c *Cache) Info() Info { return c.next.Info() }

// Stats returns the size of the cache.
func (c *Cache) Stats() CacheStats {
	return CacheStats{Entries: c.kept.EstimatedSize(), Bytes: c.kept.WeightedSize()}
}

// EndCalls cancels the calls in flight and fails later ones with [ErrClosed]. Vectors in
// the cache still serve.
func (c *Cache) EndCalls() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, f := range c.flights {
		f.cancel()
	}
}

// Close ends the calls, waits for those in flight, and drops the vectors. It does not close
// the embedder behind the cache.
func (c *Cache) Close() error {
	c.EndCalls()
	c.running.Wait()
	c.kept.InvalidateAll()
	c.kept.StopAllGoroutines()
	return nil
}

// Embed returns vectors from the cache, and calls the embedder once for all others.
func (c *Cache) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	var misses []miss
	for i, text := range texts {
		key := c.key(text)
		v, ok := c.kept.GetIfPresent(key)
		if !ok {
			misses = append(misses, miss{at: i, key: key})
		}
		vectors[i] = v
	}
	if n := len(texts) - len(misses); n > 0 {
		c.count(Hit, n)
	}
	if len(misses) == 0 {
		return vectors, nil
	}
	if ctx.Err() != nil {
		return nil, Ended(ctx.Err())
	}
	if err := c.join(ctx, texts, vectors, misses); err != nil {
		return nil, err
	}
	for _, m := range misses {
		if m.flight == nil {
			continue
		}
		var err error
		if vectors[m.at], err = m.flight.wait(ctx, m.key); err != nil {
			c.leave(ctx, misses)
			return nil, err
		}
	}
	return vectors, nil
}

// key returns the hash of model and text. It does not use a pooled buffer, which would
// keep the text.
func (c *Cache) key(text string) cacheKey {
	var buffer [keyBuffer]byte
	return sha256.Sum256(append(append(buffer[:0], c.prefix...), text...))
}
