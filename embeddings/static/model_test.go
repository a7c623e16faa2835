package static

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The example configuration's descriptions and two prompts that must find the right one.
const (
	realLife    = "Specialist in real life topics"
	programming = "Specialist in programming problems"
	deadlock    = "Why does my Go program deadlock on an unbuffered channel?"
	birthday    = "What should I cook for my mother's birthday?"
)

func embedOne(t testing.TB, m *Model, text string) []float32 {
	t.Helper()
	vectors, err := m.Embed(t.Context(), []string{text})
	require.NoError(t, err)
	require.Len(t, vectors, 1)
	return vectors[0]
}

// distance is what a store reports for two texts.
func distance(t *testing.T, m *Model, a, b string) float64 {
	t.Helper()
	var cos float64
	v, w := embedOne(t, m, a), embedOne(t, m, b)
	for i := range v {
		cos += float64(v[i]) * float64(w[i])
	}
	return m.Info().DistanceScale * (1 - cos)
}

func TestBuiltinDescribesItself(t *testing.T) {
	info := newBuiltin(t).Info()
	sum := sha256.Sum256(append(slices.Clone(builtinTable), builtinVocab...))
	require.Equal(t, fmt.Sprintf("builtin/minilm-static-256@%x", sum[:4]), info.Model)
	require.Equal(t, 256, info.Dimensions)
	require.Equal(t, 0.778, info.DistanceScale)
}

// The start of semlb waits for the built-in model. Its cost is bounded in allocations and
// bytes, which do not depend on the load of the machine: 190 allocations and 11 MB. One
// allocation for each of the 28,000 tokens, a copy of the table (7 MB) or a table of
// float32 (29 MB) would be too much.
func TestBuiltinStartsWithFewAllocations(t *testing.T) {
	const mostAllocations, mostBytes = 1000, 16 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	newBuiltin(t)
	runtime.ReadMemStats(&after)
	require.Less(t, after.Mallocs-before.Mallocs, uint64(mostAllocations), "allocations")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(mostBytes), "bytes")
}

func TestVectorsAreThoseOfTheReference(t *testing.T) {
	m, compared := newBuiltin(t), 0
	for _, c := range readGolden(t) {
		if c.Vector == nil {
			continue
		}
		compared++
		require.InDeltaSlice(t, c.Vector, embedOne(t, m, c.Text), 2e-6, "text %+q", c.Text)
	}
	require.Greater(t, compared, 5)
}

func TestVectorsAreUnitVectorsInTheOrderOfTheTexts(t *testing.T) {
	m := newBuiltin(t)
	texts := []string{birthday, "", deadlock, "Привет мир", "!", strings.Repeat(deadlock, 1000)}
	vectors, err := m.Embed(t.Context(), texts)
	require.NoError(t, err)
	require.Len(t, vectors, len(texts))
	for i, v := range vectors {
		require.Equal(t, embedOne(t, m, texts[i]), v)
		if i == 1 || i == 3 {
			require.Nil(t, v, "a text without a known token has no vector")
			continue
		}
		var squares float64
		for _, x := range v {
			squares += float64(x) * float64(x)
		}
		require.InDelta(t, 1, math.Sqrt(squares), 1e-5)
	}
}

func TestEmbedStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newBuiltin(t).Embed(ctx, []string{"secret prompt"})
	require.ErrorIs(t, err, context.Canceled)
	require.NotContains(t, err.Error(), "secret")
}

func TestEmbedIsSafeForConcurrentUse(t *testing.T) {
	m := newBuiltin(t)
	want := embedOne(t, m, deadlock)
	got := make([][]float32, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			for range 50 {
				vectors, err := m.Embed(t.Context(), []string{birthday, deadlock})
				if err == nil {
					got[i] = vectors[1]
				}
			}
		})
	}
	wg.Wait()
	for _, v := range got {
		require.Equal(t, want, v)
	}
}

func TestSeedDescriptionsFindTheirPrompts(t *testing.T) {
	m := newBuiltin(t)
	require.Less(t, distance(t, m, deadlock, programming), distance(t, m, deadlock, realLife))
	require.Less(t, distance(t, m, birthday, realLife), distance(t, m, birthday, programming))
}

func BenchmarkEmbed(b *testing.B) {
	m := newBuiltin(b)
	notice, err := os.ReadFile("model/NOTICE")
	require.NoError(b, err)
	prose := string(notice)
	for _, bm := range []struct{ name, text string }{
		{"short", deadlock},
		{"8KB", strings.Repeat(deadlock+" "+birthday+"\n", 100)[:maxText]},
		{"8KB_prose", strings.Repeat(prose, 10)[:maxText]},
		{"8KB_marks", strings.Repeat("a\u0301", maxText/3)},
		{"1MB", strings.Repeat(deadlock, 1<<20/len(deadlock))},
	} {
		b.Run(bm.name, func(b *testing.B) {
			texts := []string{bm.text}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Embed(b.Context(), texts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBuiltin(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		newBuiltin(b)
	}
}
