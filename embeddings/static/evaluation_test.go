package static

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// evaluation is a set of descriptions and of prompts that belong to one of them.
type evaluation struct {
	descriptions []string
	prompts      []string
	wanted       []int // by prompt: its description
}

// readEvaluation reads a set: a line "= description", then its prompts, one a line,
// with \n for a line break.
func readEvaluation(t *testing.T, name string) evaluation {
	t.Helper()
	file, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	var e evaluation
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		if description, ok := strings.CutPrefix(line, "= "); ok {
			e.descriptions = append(e.descriptions, description)
			continue
		}
		e.prompts = append(e.prompts, strings.ReplaceAll(line, `\n`, "\n"))
		e.wanted = append(e.wanted, len(e.descriptions)-1)
	}
	return e
}

// encoder turns the descriptions and the prompts of a set into vectors.
type encoder func(e evaluation) (descriptions, prompts []map[int]float64)

// balanced is the share of prompts whose nearest description is their own: the mean
// over the descriptions. Where several are equally near, one of them is guessed.
func (e evaluation) balanced(encode encoder) float64 {
	descriptions, prompts := encode(e)
	right, all := make([]float64, len(descriptions)), make([]float64, len(descriptions))
	for i, p := range prompts {
		all[e.wanted[i]]++
		if near := nearest(p, descriptions); slices.Contains(near, e.wanted[i]) {
			right[e.wanted[i]] += 1 / float64(len(near))
		}
	}
	var sum float64
	for i := range right {
		sum += right[i] / all[i]
	}
	return sum / float64(len(right))
}

// nearest lists the vectors that have the largest product with p.
func nearest(p map[int]float64, vectors []map[int]float64) []int {
	best := math.Inf(-1)
	var at []int
	for i, v := range vectors {
		switch d := dot(p, v); {
		case d > best:
			best, at = d, []int{i}
		case d == best:
			at = append(at, i)
		}
	}
	return at
}

func dot(a, b map[int]float64) float64 {
	var sum float64
	for k, x := range a {
		sum += x * b[k]
	}
	return sum
}

// static encodes with a model.
func static(t *testing.T, m *Model) encoder {
	return func(e evaluation) (descriptions, prompts []map[int]float64) {
		return embedAll(t, m, e.descriptions), embedAll(t, m, e.prompts)
	}
}

func embedAll(t *testing.T, m *Model, texts []string) []map[int]float64 {
	t.Helper()
	vectors, err := m.Embed(t.Context(), texts)
	require.NoError(t, err)
	out := make([]map[int]float64, len(vectors))
	for i, v := range vectors {
		out[i] = make(map[int]float64, len(v))
		for k, x := range v {
			out[i][k] = float64(x)
		}
	}
	return out
}

// TestBuiltinBeatsTheLexicalFloor checks the quality of the built-in model. The margins,
// in points of accuracy, are those for which the method was chosen.
func TestBuiltinBeatsTheLexicalFloor(t *testing.T) {
	m := newBuiltin(t)
	for _, tt := range []struct {
		name, file            string
		descriptions, atLeast int
		margin                float64
	}{
		{"ten domains", "domains.txt", 10, 240, 2},
		{"three kinds of long prompts", "long.txt", 3, 60, 27},
		{"thirteen subjects", "subjects.txt", 13, 150, 30},
		{"the seed's two descriptions", "two.txt", 2, 80, 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := readEvaluation(t, tt.file)
			require.Len(t, e.descriptions, tt.descriptions)
			require.GreaterOrEqual(t, len(e.prompts), tt.atLeast)
			var floor float64
			for _, l := range lexicals() {
				floor = max(floor, e.balanced(l.encode))
			}
			got := e.balanced(static(t, m))
			t.Logf("model %.3f, lexical floor %.3f", got, floor)
			require.Greater(t, floor, 0.5/float64(tt.descriptions), "the floor itself is broken")
			require.GreaterOrEqual(t, 100*(got-floor), tt.margin)
		})
	}
}
