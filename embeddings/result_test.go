package embeddings_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
)

// tally counts results.
type tally struct {
	mu sync.Mutex
	of map[embeddings.Result]int
	// seen are all since the start.
	seen map[embeddings.Result]int
}

func (c *tally) count(r embeddings.Result, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[embeddings.Result]int)
	}
	if c.seen == nil {
		c.seen = make(map[embeddings.Result]int)
	}
	c.seen[r] += n
	c.of[r] += n
}

// since returns the results since the last call.
func (c *tally) since() map[embeddings.Result]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.of = nil }()
	return maps.Clone(c.of)
}

// Every outcome is counted.
func TestCacheCountsResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var results tally
		fake := &fakeEmbedder{delay: time.Second}
		guard := embeddings.NewGuard(fake, embeddings.GuardOptions{Failures: 1, CoolDown: time.Minute, MaxConcurrent: 1, MaxQueue: 1, Timeout: 10 * time.Second})
		c := newCache(t, guard, embeddings.CacheOptions{LoadTimeout: time.Minute, Count: results.count})
		defer c.Close()
		type counts = map[embeddings.Result]int

		require.NoError(t, embedText(t.Context(), c, "one"))
		require.Equal(t, counts{embeddings.Called: 1}, results.since())
		_, err := c.Embed(t.Context(), []string{"one", "one", "two"})
		require.NoError(t, err)
		require.Equal(t, counts{embeddings.Hit: 2, embeddings.Called: 1}, results.since())

		var all sync.WaitGroup
		for i := range 5 { // one runs, one waits, three are shed
			all.Go(func() { _ = embedText(t.Context(), c, fmt.Sprint("flood ", i)) })
		}
		all.Wait()
		require.Equal(t, counts{embeddings.Called: 2, embeddings.Shed: 3}, results.since())

		ctx, leave := context.WithCancel(t.Context())
		all.Go(func() { _ = embedText(ctx, c, "cancelled") })
		synctest.Wait()
		leave()
		all.Wait()
		synctest.Wait()
		require.Equal(t, counts{embeddings.Abandoned: 1}, results.since())

		for range 3 {
			all.Go(func() { _ = embedText(t.Context(), c, "the same") })
		}
		all.Wait()
		require.Equal(t, counts{embeddings.Called: 1, embeddings.Joined: 2}, results.since())

		fake.fail(errors.New("broken"))
		require.Error(t, embedText(t.Context(), c, "three"))
		require.Equal(t, counts{embeddings.Failed: 1}, results.since())
		require.ErrorIs(t, embedText(t.Context(), c, "four"), embeddings.ErrOpen)
		require.Equal(t, counts{embeddings.Open: 1}, results.since())
		results.seen[embeddings.Shortened] = 1 // Fit counts it
		require.ElementsMatch(t, embeddings.Results(), slices.Collect(maps.Keys(results.seen)))
	})
}
