package router

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// second is a rig whose b, the fallback of a, has a half-open circuit breaker.
func second(t *testing.T) *rig {
	b := newRig(t, nil)
	for range 3 {
		b.Report(Outcome{Target: "b", Result: Failed})
	}
	require.Equal(t, "a", b.plan())
	b.clock.advance(failTimeout)
	return b
}

// standby is what the next plan carries for b.
func (b *rig) standby() ProbeToken {
	b.t.Helper()
	p := b.Route(b.t.Context(), Request{})
	require.Equal(b.t, []string{"a", "b"}, p.Targets)
	token := ProbeOf(FormatProbes(p.Probes), "b")
	require.NotZero(b.t, token)
	return token
}

// The rest of the table of transitions: the target with the half-open circuit breaker is
// a fallback. TestTransitions has those of a target that is first.
func TestTransitionsOfAFallback(t *testing.T) {
	ok := Outcome{Target: "b", Result: Answered, Status: 200}
	failed := Outcome{Target: "b", Result: Failed}
	with := func(o Outcome, token ProbeToken) Outcome {
		o.Probe = token
		return o
	}
	for _, tt := range []struct {
		name  string
		do    func(b *rig)
		plans []string
	}{
		{"every plan has it", func(*rig) {}, []string{"ab?", "ab?", "ab?"}},
		{"a success of any of them brings it back", func(b *rig) {
			b.standby()
			b.Report(with(ok, b.standby()))
		}, []string{"ab", "ab"}},
		{"a failure of any of them keeps it out", func(b *rig) {
			b.standby()
			b.Report(with(failed, b.standby()))
			b.clock.advance(failTimeout - 1)
		}, []string{"a", "a"}},
		{"for another fail_timeout", func(b *rig) {
			b.Report(with(failed, b.standby()))
			b.clock.advance(failTimeout)
		}, []string{"ab?"}},
		{"the first outcome decides: others do not prolong it", func(b *rig) {
			first, second := b.standby(), b.standby()
			b.Report(with(failed, first))
			b.clock.advance(failTimeout - 1)
			b.Report(with(failed, second))
			b.clock.advance(1)
		}, []string{"ab?"}},
		{"nor do they end it", func(b *rig) {
			first, second := b.standby(), b.standby()
			b.Report(with(failed, first))
			b.Report(with(ok, second))
		}, []string{"a"}},
		{"a failure after it is back is one like any other", func(b *rig) {
			first, second := b.standby(), b.standby()
			b.Report(with(ok, first))
			b.Report(with(failed, second))
		}, []string{"ab"}},
		{"an attempt that was sent before does not count", func(b *rig) {
			b.Report(ok)
		}, []string{"ab?"}},
		{"one that its client gave up changes nothing", func(b *rig) {
			b.Report(with(Outcome{Target: "b", Result: Abandoned}, b.standby()))
		}, []string{"ab?"}},
		{"nor does a plan that did not come to it", func(b *rig) {
			b.ReleaseProbe(Probe{Target: "b", Token: b.standby()})
		}, []string{"ab?"}},
		{"while another plan has it first", func(b *rig) { // as soon as a is out
			for range 3 {
				b.do("fail")
			}
			require.Equal(t, "b?", b.plan())
			b.clock.advance(failTimeout - 1)
			require.Equal(t, "out:[a b]", b.plan())
			b.clock.advance(1)
		}, []string{"a?b?", "b?", "out:[a b]"}},
		{"its outcome ends the probe of a plan that has it first", func(b *rig) {
			token := b.standby()
			for range 3 {
				b.do("fail")
			}
			require.Equal(t, "b?", b.plan())
			b.Report(with(ok, token))
		}, []string{"b", "b"}},
		{"giving it up does not", func(b *rig) {
			token := b.standby()
			for range 3 {
				b.do("fail")
			}
			require.Equal(t, "b?", b.plan())
			b.Report(with(Outcome{Target: "b", Result: Abandoned}, token))
			b.ReleaseProbe(Probe{Target: "b", Token: token})
		}, []string{"out:[a b]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := second(t)
			tt.do(b)
			for i, want := range tt.plans {
				require.Equal(t, want, b.plan(), "plan %d", i+1)
			}
		})
	}
}

// What was found: both were out and are due; a stream that a serves must not keep b
// from the requests that a refuses meanwhile.
func TestAStreamDoesNotWithholdTheTargetBehindIt(t *testing.T) {
	b := second(t)
	for range 3 {
		b.do("fail")
	}
	b.clock.advance(failTimeout)
	require.Equal(t, "a?b?", b.plan())
	b.do("probe ok") // the stream has begun, and continues
	require.Equal(t, "ab?", b.plan())
	require.Equal(t, "ab?", b.plan())
}

// Another replica may hear what came of a target behind another one.
func TestReplicasKnowWhoStandsBehind(t *testing.T) {
	one := newRig(t, nil)
	two := newRig(t, nil)
	var place uint64
	one.rule.share = func(e Event) {
		place++
		e.At = Position{Time: place}
		two.Apply(e)
	}
	for range 3 {
		one.Report(Outcome{Target: "b", Result: Failed})
	}
	one.clock.advance(failTimeout)
	two.clock.advance(failTimeout)
	two.Report(Outcome{Target: "b", Result: Answered, Status: 200, Probe: one.standby()})
	require.Equal(t, "ab", two.plan())
}
