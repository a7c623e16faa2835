package embeddings_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
)

func newCache(t testing.TB, next embeddings.Embedder, options embeddings.CacheOptions) *embeddings.Cache {
	t.Helper()
	c, err := embeddings.NewCache(next, options)
	require.NoError(t, err)
	return c
}

func TestCacheMakesOneCallForAThousandEqualPrompts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Second}
		var results tally
		c := newCache(t, fake, embeddings.CacheOptions{Count: results.count})
		defer c.Close()
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				vectors, err := c.Embed(t.Context(), []string{"same"})
				if err != nil || len(vectors) != 1 || vectors[0][0] != 1 {
					t.Errorf("got %v, %v", vectors, err)
				}
			})
		}
		all.Wait()
		require.Equal(t, int64(1), fake.calls.Load())
		require.NoError(t, embedText(t.Context(), c, "same"))
		require.Equal(t, int64(1), fake.calls.Load())
		require.Equal(t, map[embeddings.Result]int{embeddings.Hit: 1, embeddings.Called: 1, embeddings.Joined: 999}, results.since())
	})
}

func embedText(ctx context.Context, c *embeddings.Cache, text string) error {
	_, err := c.Embed(ctx, []string{text})
	return err
}

func TestCacheMakesOneCallForAllMissingTexts(t *testing.T) {
	fake := &fakeEmbedder{vector: func(text string) []float32 { return []float32{float32(len(text))} }}
	c := newCache(t, fake, embeddings.CacheOptions{})
	defer c.Close()
	require.NoError(t, embedText(t.Context(), c, "bb"))
	vectors, err := c.Embed(t.Context(), []string{"a", "bb", "ccc", "a"})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{1}, {2}, {3}, {1}}, vectors)
	require.Equal(t, [][]string{{"bb"}, {"a", "ccc"}}, fake.calledWith)

	vectors, err = c.Embed(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, vectors)
	require.Equal(t, int64(2), fake.calls.Load())
}

func TestCacheJoinsCallsInFlightAndMakesOneForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Second}
		c := newCache(t, fake, embeddings.CacheOptions{})
		defer c.Close()
		go func() { _, _ = c.Embed(context.Background(), []string{"a", "b"}) }()
		synctest.Wait()
		_, err := c.Embed(t.Context(), []string{"b", "c"})
		require.NoError(t, err)
		require.Equal(t, [][]string{{"a", "b"}, {"c"}}, fake.calledWith)
	})
}

func TestCacheKeepsNilVectorsAndNoErrors(t *testing.T) {
	fake := &fakeEmbedder{vector: func(string) []float32 { return nil }}
	c := newCache(t, fake, embeddings.CacheOptions{})
	defer c.Close()
	fake.fail(errors.New("broken"))
	require.ErrorContains(t, embedText(t.Context(), c, "text"), "broken")
	fake.fail(nil)
	for range 3 {
		vectors, err := c.Embed(t.Context(), []string{"text"})
		require.NoError(t, err)
		require.Equal(t, [][]float32{nil}, vectors)
	}
	require.Equal(t, int64(2), fake.calls.Load())
}

// shortEmbedder returns one vector too few.
type shortEmbedder struct{ fakeEmbedder }

func (s *shortEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return s.fakeEmbedder.Embed(ctx, texts[1:])
}

func TestCacheRefusesAWrongCount(t *testing.T) {
	c := newCache(t, &shortEmbedder{}, embeddings.CacheOptions{})
	defer c.Close()
	require.ErrorContains(t, embedText(t.Context(), c, "text"), "got 0 vectors, want 1")
	require.Zero(t, c.Stats().Entries)
}

func TestCacheCancelledCallerDoesNotAffectOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Second}
		c := newCache(t, fake, embeddings.CacheOptions{})
		defer c.Close()
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- embedText(ctx, c, "text") }()
		synctest.Wait()
		go func() { second <- embedText(t.Context(), c, "text") }()
		synctest.Wait()
		start := time.Now()
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		require.Zero(t, time.Since(start))
		require.NoError(t, <-second)
		require.Equal(t, int64(1), fake.calls.Load())
	})
}

func TestCacheCancelsACallThatAllCallersCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Hour}
		c := newCache(t, fake, embeddings.CacheOptions{LoadTimeout: 2 * time.Hour})
		defer c.Close()
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error, 2)
		for range 2 {
			go func() { errs <- embedText(ctx, c, "text") }()
		}
		synctest.Wait()
		require.Equal(t, int64(1), fake.now.Load())
		cancel()
		for range 2 {
			var e *embeddings.Error
			require.ErrorAs(t, <-errs, &e)
			require.Equal(t, embeddings.KindCanceled, e.Kind)
		}
		synctest.Wait()
		require.Zero(t, fake.now.Load(), "the call of the embedder is cancelled")
		fake.delay = 0
		require.NoError(t, embedText(t.Context(), c, "text"), "the next caller starts a new call")
	})
}

func TestCacheFinishesACallAfterItsCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Second}
		c := newCache(t, fake, embeddings.CacheOptions{})
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := embedText(ctx, c, "text")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 200*time.Millisecond, time.Since(start))
		time.Sleep(time.Second)
		require.NoError(t, embedText(t.Context(), c, "text"))
		require.Equal(t, int64(1), fake.calls.Load())

		done, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, embedText(done, c, "text"), "a cached vector needs no time")
		require.ErrorIs(t, embedText(done, c, "other"), context.Canceled)
		require.Equal(t, int64(1), fake.calls.Load())
	})
}

func TestCacheBoundsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Hour}
		c := newCache(t, fake, embeddings.CacheOptions{LoadTimeout: 3 * time.Second})
		defer c.Close()
		start := time.Now()
		require.ErrorIs(t, embedText(t.Context(), c, "text"), context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestCacheExpiresAfterTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{}
		c := newCache(t, fake, embeddings.CacheOptions{TTL: time.Minute})
		defer c.Close()
		require.NoError(t, embedText(t.Context(), c, "text"))
		time.Sleep(50 * time.Second)
		require.NoError(t, embedText(t.Context(), c, "text"))
		require.Equal(t, int64(1), fake.calls.Load())
		time.Sleep(20 * time.Second)
		require.NoError(t, embedText(t.Context(), c, "text"))
		require.Equal(t, int64(2), fake.calls.Load())
	})
}

func TestCacheBoundsItsMemory(t *testing.T) {
	wide := make([]float32, 1024)
	fake := &fakeEmbedder{vector: func(string) []float32 { return wide }}
	c := newCache(t, fake, embeddings.CacheOptions{MaxBytes: 100 << 10})
	defer c.Close()
	for i := range 500 {
		require.NoError(t, embedText(t.Context(), c, fmt.Sprint("text ", i)))
	}
	// Eviction is asynchronous.
	require.Eventually(t, func() bool {
		s := c.Stats()
		return s.Bytes <= 100<<10 && s.Entries <= 25
	}, 30*time.Second, time.Millisecond)
	require.Positive(t, c.Stats().Entries)
}

func TestCacheCloseCancelsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Hour}
		c := newCache(t, fake, embeddings.CacheOptions{LoadTimeout: time.Hour, TTL: time.Hour})
		errs := make(chan error, 1)
		go func() { errs <- embedText(context.Background(), c, "text") }()
		synctest.Wait()
		require.NoError(t, c.Close())
		require.ErrorIs(t, <-errs, embeddings.ErrClosed)
		require.ErrorIs(t, embedText(t.Context(), c, "text"), embeddings.ErrClosed)
	})
}

func TestCacheServesWhatItHasOnceCallsHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Second}
		c := newCache(t, fake, embeddings.CacheOptions{LoadTimeout: time.Hour})
		defer c.Close()
		require.NoError(t, embedText(t.Context(), c, "text"))
		errs := make(chan error, 1)
		go func() { errs <- embedText(context.Background(), c, "another text") }()
		synctest.Wait()
		c.EndCalls()
		require.ErrorIs(t, <-errs, embeddings.ErrClosed)
		require.NoError(t, embedText(t.Context(), c, "text"))
	})
}

// A flood of distinct prompts passes the cache; the guard behind it bounds the calls.
func TestCacheOverGuardBoundsADistinctFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &fakeEmbedder{delay: time.Second}
		guard := embeddings.NewGuard(fake, embeddings.GuardOptions{MaxConcurrent: 4, MaxQueue: 12, Timeout: 10 * time.Second})
		c := newCache(t, guard, embeddings.CacheOptions{LoadTimeout: 20 * time.Second})
		defer c.Close()
		errs := make(chan error, 1000)
		for i := range 1000 {
			go func() { errs <- embedText(t.Context(), c, fmt.Sprint("prompt ", i)) }()
		}
		synctest.Wait()
		require.Len(t, errs, 1000-16)
		for range 1000 - 16 {
			require.ErrorIs(t, <-errs, embeddings.ErrOverloaded)
		}
		for range 16 {
			require.NoError(t, <-errs)
		}
		require.Equal(t, int64(4), fake.peak.Load())
		require.Equal(t, 16, c.Stats().Entries)
	})
}

// A router's budget may be shorter than the guard's time limit. The breaker has to see a
// hanging embedder all the same.
func TestCacheLetsTheBreakerOpenForAHangingEmbedder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		guard := embeddings.NewGuard(&fakeEmbedder{delay: time.Hour}, embeddings.GuardOptions{Failures: 3, Timeout: time.Second})
		c := newCache(t, guard, embeddings.CacheOptions{})
		defer c.Close()
		for i := range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			require.ErrorIs(t, embedText(ctx, c, fmt.Sprint("prompt ", i)), context.DeadlineExceeded)
			cancel()
		}
		time.Sleep(time.Second)
		require.ErrorIs(t, embedText(t.Context(), c, "next"), embeddings.ErrOpen)
	})
}

func BenchmarkCacheHit(b *testing.B) {
	for _, size := range []int{50, 1000, 10_000} {
		b.Run(fmt.Sprint(size, " bytes"), func(b *testing.B) {
			fake := &fakeEmbedder{}
			c := newCache(b, fake, embeddings.CacheOptions{})
			defer c.Close()
			texts := []string{string(make([]byte, size))}
			_, err := c.Embed(b.Context(), texts)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.Embed(b.Context(), texts)
			}
		})
	}
}
