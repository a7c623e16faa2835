package router

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// numbered are n targets with the weights that weight returns.
func numbered(n int, weight func(i int) int) []Target {
	targets := make([]Target, n)
	for i := range targets {
		targets[i] = Target{ID: fmt.Sprintf("t%d", i), Description: "d", Weight: weight(i)}
	}
	return targets
}

// Every full round gives each target as many turns as its weight, however the turns are
// computed.
func TestTurnsAreSharedByWeight(t *testing.T) {
	targets := numbered(5, func(i int) int { return 10 * (i*i + 1) })
	ids, weights, length := idsOf(targets), lowestTerms(targets), 1+2+5+10+17
	for name, turns := range map[string]turns{
		"round": newRound(ids, weights, length), "schedule": newSchedule(ids, weights),
		"round of a schedule": newSchedule(ids, weights).round(length),
	} {
		for range 3 {
			count := make(map[string]int)
			for turn := range length {
				id := turns.next()
				count[id]++
				i := slices.Index(ids, id)
				fair := float64(weights[i]*(turn+1)) / float64(length)
				require.InDelta(t, fair, float64(count[id]), 1.5, "%s: turn %d of %s", name, turn, id)
			}
			for i, id := range ids {
				require.Equal(t, weights[i], count[id], "%s: %s", name, id)
			}
		}
	}
}

func idsOf(targets []Target) []string {
	ids := make([]string, len(targets))
	for i, t := range targets {
		ids[i] = t.ID
	}
	return ids
}

// A round that costs much is computed by a schedule; one that is long is not kept.
func TestLongRoundsAreScheduled(t *testing.T) {
	require.IsType(t, &round{}, newTurns(numbered(1000, spread["1 to 10"])))
	for _, targets := range [][]Target{
		{{ID: "a", Weight: 65535}, {ID: "b", Weight: 65534}},
		numbered(1000, spread["1 to 1000"]),
	} {
		require.IsType(t, &schedule{}, newTurns(targets))
		r := newRoundRobin(balance{targets: targets})
		for range 3 {
			ids := r.order(nil, Request{}, 2)
			require.Len(t, ids, 2)
			require.NotEqual(t, ids[0], ids[1])
		}
	}
	turns := newTurns([]Target{{ID: "a", Weight: 65535}, {ID: "b", Weight: 65534}})
	require.Equal(t, []string{"a", "b", "a"}, []string{turns.next(), turns.next(), turns.next()})
}

// An attempt that fails moves on to the targets whose turns are next, so that a failing
// target does not load the heaviest of the others alone.
func TestRoundRobinGoesOnWithTheNextTurns(t *testing.T) {
	r := newRoundRobin(balance{targets: numbered(4, func(int) int { return 1 })})
	for _, want := range [][]string{{"t0", "t1", "t2"}, {"t1", "t2", "t3"}, {"t2", "t3", "t0"}, {"t3", "t0", "t1"}, {"t0", "t1", "t2"}} {
		require.Equal(t, want, r.order(nil, Request{}, 3))
	}
}

// For any number of attempts, an order has each target once, and all of them if it may.
func TestOrdersHaveEachTargetOnce(t *testing.T) {
	for name, make := range algorithms {
		for _, count := range []int{1, 3, 100} {
			a := make(balance{targets: numbered(count, func(i int) int { return 1 + 1000*(i%3) })})
			for _, n := range []int{1, 2, 5, count, 2 * count, 32768} {
				t.Run(fmt.Sprintf("%s, %d of %d", name, n, count), func(t *testing.T) {
					ids := a.order([]string{"before"}, Request{}, n)
					require.Equal(t, "before", ids[0])
					require.Len(t, ids, 1+min(n, count))
					slices.Sort(ids)
					require.Len(t, slices.Compact(ids), 1+min(n, count))
				})
			}
		}
	}
}

// spread are weights. Of 1,000 targets, all rounds but the last are kept.
var spread = map[string]func(i int) int{
	"equal":     func(int) int { return 1 },
	"1 to 3":    func(i int) int { return 1 + i%3 },
	"1 to 10":   func(i int) int { return 1 + i%10 },
	"1 to 1000": func(i int) int { return 1 + i%1000 },
}

func balanced(tb testing.TB, targets []Target) *Router {
	r, err := New(Options{
		Algorithm: RoundRobin, MaxAttempts: 4, Targets: targets,
		Circuits: NewCircuits(new(clock).now, nil), Breaker: testBreaker(),
	})
	require.NoError(tb, err)
	return r
}

// A plan of four attempts costs about the same for any number of targets.
func BenchmarkRoundRobin(b *testing.B) {
	for name, weight := range spread {
		for _, count := range []int{3, 1000} {
			b.Run(fmt.Sprintf("%s/%d targets", name, count), func(b *testing.B) {
				r := balanced(b, numbered(count, weight))
				b.ReportAllocs()
				for b.Loop() {
					r.Route(b.Context(), Request{})
				}
			})
		}
	}
}

func TestAPlanAllocatesTheSameForAnyNumberOfTargets(t *testing.T) {
	for name, weight := range spread {
		few, many := balanced(t, numbered(3, weight)), balanced(t, numbered(1000, weight))
		allocations := func(r *Router) float64 {
			return testing.AllocsPerRun(100, func() { r.Route(t.Context(), Request{}) })
		}
		require.Equal(t, allocations(few), allocations(many), name)
	}
}
