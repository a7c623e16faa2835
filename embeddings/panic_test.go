package embeddings_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
)

// panickingEmbedder panics with its text until it is cured.
type panickingEmbedder struct {
	fakeEmbedder
	cured bool
}

func (e *panickingEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if e.cured {
		return e.fakeEmbedder.Embed(ctx, texts)
	}
	time.Sleep(time.Second)
	panic("a fault with " + texts[0])
}

// The embedder runs on a goroutine of the cache: a panic there would end the process.
func TestCacheTurnsAPanicIntoAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &panickingEmbedder{}
		guard := embeddings.NewGuard(next, embeddings.GuardOptions{Failures: 1, CoolDown: time.Second})
		c := newCache(t, guard, embeddings.CacheOptions{})
		defer c.Close()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				var e *embeddings.Error
				if err := embedText(t.Context(), c, "a private prompt"); !errors.As(err, &e) || e.Kind != embeddings.KindPanic {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
		err := embedText(t.Context(), c, "a private prompt")
		require.ErrorIs(t, err, embeddings.ErrOpen, "a panic is a failure for the guard")

		time.Sleep(2 * time.Second)
		err = embedText(t.Context(), c, "a private prompt")
		require.EqualError(t, err, "embed texts: panic: value of type string")
		var p *embeddings.PanicError
		require.ErrorAs(t, err, &p)
		cause, stack := p.Panic()
		require.Equal(t, "string", cause)
		require.Contains(t, stack, "panickingEmbedder")
		require.NotContains(t, stack, "private")

		time.Sleep(2 * time.Second)
		next.cured = true
		require.NoError(t, embedText(t.Context(), c, "a private prompt"), "the cache still works")
	})
}
