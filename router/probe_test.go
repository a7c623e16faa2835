package router

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// underWay is what is known of a's attempt before its end.
func (b *rig) underWay(token ProbeToken, status int) Outcome {
	return Outcome{Target: "a", Result: Answered, Status: status, Probe: token, RetryAfter: time.Second, Phase: Started}
}

// probed is a rig whose target a was out and is probed.
func probed(t *testing.T) *rig {
	t.Helper()
	b := newRig(t, nil)
	for _, step := range []string{"fail", "fail", "fail", "10s"} {
		b.do(step)
	}
	require.Equal(t, "a?b", b.plan())
	return b
}

func TestAnAttemptUnderWayCountsForAProbeOnly(t *testing.T) {
	b := newRig(t, nil)
	for range 10 {
		b.Report(b.underWay(0, 503))
		b.Report(b.underWay(7, 503))
	}
	b.Report(Outcome{Target: "a", Result: Answered, Status: 503})
	require.Equal(t, "ab", b.plan(), "one attempt, one failure, nothing held")
}

func TestAProbeUnderWayCountsOnce(t *testing.T) {
	t.Run("good", func(t *testing.T) {
		b := probed(t)
		b.Report(b.underWay(b.probe, 200))
		require.Equal(t, "ab", b.plan())
	})
	t.Run("bad", func(t *testing.T) {
		b := probed(t)
		token := b.probe
		b.Report(b.underWay(token, 503))
		require.Equal(t, "b", b.plan())
		b.clock.advance(failTimeout)
		require.Equal(t, "a?b", b.plan())
		b.do("probe ok")
		// The long answer of the first probe continues, and ends.
		for range 10 {
			b.Report(b.underWay(token, 503))
		}
		b.Report(Outcome{Target: "a", Result: Answered, Status: 503, Probe: token, RetryAfter: time.Hour})
		require.Equal(t, "ab", b.plan())
		b.do("fail")
		b.do("fail")
		require.Equal(t, "ab", b.plan(), "the count began at zero")
	})
	t.Run("good, and then it stalls", func(t *testing.T) {
		b := probed(t)
		b.Report(b.underWay(b.probe, 200))
		b.Report(Outcome{Target: "a", Result: TimedOut, Probe: b.probe})
		b.do("fail")
		b.do("fail")
		require.Equal(t, "b", b.plan(), "the end has another outcome")
	})
}
