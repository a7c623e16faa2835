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

func TestTurnsAreTheSameWhetherTheRoundIsKeptOrNot(t *testing.T) {
	targets := numbered(5, func(i int) int { return 10 * (i*i + 1) })
	kept, computed := newTurns(targets), newTurns(targets)
	require.Len(t, kept.round, 1+2+5+10+17)
	computed.round = nil
	computed.credits = newCredits(targets)
	for range 3 * len(kept.round) {
		require.Equal(t, computed.next(), kept.next())
	}
}

func TestALongRoundIsNotKept(t *testing.T) {
	targets := []Target{{ID: "a", Weight: 65535}, {ID: "b", Weight: 65534}}
	turns := newTurns(targets)
	require.Nil(t, turns.round)
	require.Equal(t, []string{"a", "b", "a"}, []string{turns.next(), turns.next(), turns.next()})
	r := newRoundRobin(balance{targets: targets})
	require.Len(t, r.order(nil, Request{}, 2), 2)
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

// A plan of four attempts costs the same, whatever the number of targets.
func BenchmarkRoundRobin(b *testing.B) {
	for _, count := range []int{3, 1000} {
		b.Run(fmt.Sprintf("%d targets", count), func(b *testing.B) {
			r, err := New(Options{
				Algorithm: RoundRobin, MaxAttempts: 4, Targets: numbered(count, func(i int) int { return 1 + i%3 }),
				Circuits: NewCircuits(new(clock).now, nil), Breaker: testBreaker(),
			})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				r.Route(b.Context(), Request{})
			}
		})
	}
}

func TestAPlanAllocatesTheSameForAnyNumberOfTargets(t *testing.T) {
	allocations := func(count int) float64 {
		r, err := New(Options{
			Algorithm: RoundRobin, MaxAttempts: 4, Targets: numbered(count, func(i int) int { return 1 + i%3 }),
			Circuits: NewCircuits(new(clock).now, nil), Breaker: testBreaker(),
		})
		require.NoError(t, err)
		return testing.AllocsPerRun(100, func() { r.Route(t.Context(), Request{}) })
	}
	require.Equal(t, allocations(3), allocations(1000))
}
