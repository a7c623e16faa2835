package faults_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestFault28Weights(t *testing.T) {
	r := begin(t, "weights 0, below 0, above 65535; one target; ties of weight and of distance; chi-squared of 600 requests")
	for _, weight := range []int{-1, 65_536} {
		config := harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "m", Weight: weight}}})
		got := harness.Command(t, nil, "validate", harness.WriteConfig(t, config))
		require.Equal(t, 1, got.Code)
		require.Contains(t, got.Stderr, "weight")
	}
	zero := harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "m", Weight: 12_345}}})
	got := harness.Command(t, nil, "validate", harness.WriteConfig(t, strings.Replace(zero, "weight: 12345", "weight: 0", 1)))
	require.Equal(t, 1, got.Code, "so the weights' sum is never 0")
	require.Contains(t, got.Stderr, "weight: got 0, want")
	r.saw("0, -1, 65536 refused at load")

	// Ties: both cooking targets weigh the same, and both groups are equally far.
	w := start(t, options{plugin: func(p *harness.Plugin) { p.Targets[0].Weight, p.Targets[1].Weight = 50, 50 }, embedder: newEmbedder(t)})
	w.survives(func() {
		for i := range 30 {
			require.Equal(t, cook1Model, w.post(chat(cooking)).Header.Get("X-Stub"), "ties go by configuration order")
			require.Equal(t, cook1Model, w.post(chat(fmt.Sprintf("equally far from both %d", i))).Header.Get("X-Stub"), "equal distances")
		}
		for range 10 {
			require.Equal(t, codeModel, w.post(chat(code)).Header.Get("X-Stub"), "a group of one")
		}
		r.saw("ties: always the first")
	})

	w = start(t, options{plugin: func(p *harness.Plugin) {
		p.Algorithm = "round-robin"
		for i, weight := range []int{50, 30, 20} {
			p.Targets[i].Weight = weight
		}
	}})
	const n = 600
	client := harness.NewClient(t, harness.HTTP2)
	for range n {
		require.Equal(t, http.StatusOK, w.postOver(client, chat("anything")).Status)
	}
	chi := 0.0
	counts := w.counts()
	for i, share := range []float64{.5, .3, .2} {
		want := n * share
		chi += (float64(counts[i]) - want) * (float64(counts[i]) - want) / want
	}
	require.Less(t, chi, 13.82, "chi-squared, two degrees of freedom, 0.1 %%: %v", counts)
	r.saw("weights 50:30:20 gave %v, chi² %.2f", counts, chi)
}
