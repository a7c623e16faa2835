// Package embeddingstest is the contract of embeddings.Embedder as tests.
package embeddingstest

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/embeddings"
)

// patience is how long a call may go on after its context has ended.
const patience = 10 * time.Second

// Open returns an embedder whose model knows English words. It closes the embedder when
// the test ends.
type Open func(t *testing.T) embeddings.Embedder

// Run tests the embedders that open returns. Each test opens one.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, embeddings.Embedder){
		"vectors are unit vectors of one width": testUnit,
		"vectors are in the order of the texts": testOrder,
		"a text has the same vector each time":  testRepeat,
		"no texts have no vectors":              testNone,
		"a blank text has a nil vector":         testBlank,
		"info names the model":                  testInfo,
		"calls may be concurrent":               testConcurrency,
		"an ended context ends a call":          testContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// texts are different texts in English.
func texts() []string {
	return []string{"fix this loop", "a birthday cake", "Why does my program deadlock?", "poems about the sea"}
}

func embed(t *testing.T, e embeddings.Embedder, texts ...string) [][]float32 {
	t.Helper()
	vectors, err := e.Embed(t.Context(), texts)
	require.NoError(t, err)
	require.Len(t, vectors, len(texts))
	return vectors
}

func testUnit(t *testing.T, e embeddings.Embedder) {
	for _, v := range embed(t, e, texts()...) {
		require.Len(t, v, e.Info().Dimensions)
		var squares float64
		for _, x := range v {
			squares += float64(x) * float64(x)
		}
		require.InDelta(t, 1, math.Sqrt(squares), 1e-5)
	}
}

func testOrder(t *testing.T, e embeddings.Embedder) {
	all := texts()
	vectors := embed(t, e, all...)
	for i, text := range all {
		require.InDeltaSlice(t, embed(t, e, text)[0], vectors[i], 1e-6, text)
	}
	require.NotEqual(t, vectors[0], vectors[1])
}

func testRepeat(t *testing.T, e embeddings.Embedder) {
	a, b := texts()[0], texts()[1]
	vectors := embed(t, e, a, b, a)
	require.Equal(t, vectors[0], vectors[2])
}

func testNone(t *testing.T, e embeddings.Embedder) {
	require.Empty(t, embed(t, e))
}

func testBlank(t *testing.T, e embeddings.Embedder) {
	vectors := embed(t, e, "", texts()[0], " \n\t")
	require.Nil(t, vectors[0])
	require.NotNil(t, vectors[1])
	require.Nil(t, vectors[2])
}

func testInfo(t *testing.T, e embeddings.Embedder) {
	before := e.Info()
	require.NotEmpty(t, before.Model)
	require.Positive(t, before.DistanceScale)
	embed(t, e, texts()...)
	after := e.Info()
	require.Positive(t, after.Dimensions)
	if before.Dimensions != 0 {
		require.Equal(t, before, after)
	}
}

func testConcurrency(t *testing.T, e embeddings.Embedder) {
	all := texts()
	want := embed(t, e, all...)
	errs := make(chan error, 8)
	var group sync.WaitGroup
	for worker := range cap(errs) {
		group.Go(func() {
			for turn := range 20 {
				i := (worker + turn) % len(all)
				got, err := e.Embed(t.Context(), all[i:i+1])
				if err == nil && fmt.Sprint(got[0]) != fmt.Sprint(want[i]) {
					err = fmt.Errorf("%q: got another vector", all[i])
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
}

func testContext(t *testing.T, e embeddings.Embedder) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	for _, ctx := range []context.Context{cancelled, expired} {
		start := time.Now()
		_, err := e.Embed(ctx, []string{"private words"})
		require.ErrorIs(t, err, ctx.Err())
		require.NotContains(t, err.Error(), "private")
		require.Less(t, time.Since(start), patience)
	}
}
