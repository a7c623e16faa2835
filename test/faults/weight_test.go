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
	r := begin(t, "weights 0, below 0, above 65535; one target; ties of weight and of distance; shares of 600 requests, and of 80 within a group")
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
	// The order is a cycle without chance in it, so a chi-squared test is not enough:
	// every round has to be exact.
	w.leavesNothing(func() { w.requireRounds(1, [3]int{5, 3, 2}, "anything") }, func() {
		w.requireRounds(60, [3]int{5, 3, 2}, "anything")
	})
	r.saw("round-robin 50:30:20: exactly 5, 3 and 2 in each of 60 rounds of ten, so chi² is 0")

	w = start(t, options{plugin: func(p *harness.Plugin) { p.Balancer = map[string]any{"group_order": "weighted"} }})
	w.survives(func() {
		w.requireRounds(20, [3]int{3, 1, 0}, cooking)
		r.saw("group_order weighted, 75:25: exactly 3 and 1 in each of 20 rounds of four, none outside the group")
		for range 4 { // first one of them, then the other
			w.reset()
			w.cook1.Do(harness.Status(http.StatusTooManyRequests))
			answer := w.post(chat(cooking))
			require.Equal(t, "openai/"+cook2Model, answer.Header.Get("X-Kong-Llm-Model"), answer.Body)
		}
	})
}

// requireRounds sends a prompt in rounds; in each one every target sees exactly its
// share.
func (w *world) requireRounds(rounds int, want [3]int, prompt string) {
	w.t.Helper()
	client := harness.NewClient(w.t, harness.HTTP2)
	for range rounds {
		w.reset()
		for range want[0] + want[1] + want[2] {
			require.Equal(w.t, http.StatusOK, w.postOver(client, chat(prompt)).Status)
		}
		require.Equal(w.t, want, w.counts())
		for _, s := range w.stubs() {
			for _, got := range s.Requests() {
				requireAttempt(w.t, got, s, prompt)
			}
		}
	}
}
