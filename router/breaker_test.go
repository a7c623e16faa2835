package router

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock is a clock that only a test moves.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, 0).Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

const failTimeout = 10 * time.Second

// testBreaker is the plugin's with max_fails 3 and the seed's criteria.
func testBreaker() Breaker {
	return Breaker{MaxFails: 3, FailTimeout: failTimeout, Statuses: []int{429, 503}, MaxRetryAfter: time.Minute}
}

// rig is a router of two targets under test: "a" is first while nothing speaks
// against it.
type rig struct {
	*Router
	t        testing.TB
	clock    *clock
	circuits *Circuits
	changes  []Transition
	probe    ProbeToken // of a, in the last plan
}

func newRig(t testing.TB, change func(*Options)) *rig {
	t.Helper()
	b := &rig{t: t, clock: new(clock)}
	b.circuits = NewCircuits(b.clock.now, func(c Transition) { b.changes = append(b.changes, c) })
	b.Router = b.router(change)
	return b
}

func (b *rig) router(change func(*Options)) *Router {
	b.t.Helper()
	o := Options{
		Algorithm: Priority, MaxAttempts: 2, Circuits: b.circuits, Breaker: testBreaker(),
		Targets: []Target{{ID: "a", Weight: 2}, {ID: "b", Weight: 1}},
	}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	require.NoError(b.t, err)
	return r
}

// plan is a plan as text; "a" that is probed is "a?".
func (b *rig) plan() string {
	p := b.Route(b.t.Context(), Request{})
	b.probe = 0
	text := ""
	for _, id := range p.Targets {
		text += id
		if token := ProbeOf(FormatProbes(p.Probes), id); token != 0 {
			text += "?"
			if id == "a" {
				b.probe = token
			}
		}
	}
	if p.Reason == AllOut {
		text = "out:" + fmt.Sprint(p.Unavailable)
	}
	return text
}

// do makes a step of a scenario: an outcome of a, a plan, or time that passes.
func (b *rig) do(step string) {
	outcome := Outcome{Target: "a"}
	switch step {
	case "fail":
		outcome.Result = Failed
	case "ok":
		outcome.Result, outcome.Status = Answered, 200
	case "abandoned":
		outcome.Result = Abandoned
	case "probe fails":
		outcome.Result, outcome.Probe = Failed, b.probe
	case "probe ok":
		outcome.Result, outcome.Status, outcome.Probe = Answered, 200, b.probe
	case "probe abandoned":
		outcome.Result, outcome.Probe = Abandoned, b.probe
	case "probe unsent":
		outcome.Result, outcome.Probe = Unsent, b.probe
	case "probe unreached":
		b.ReleaseProbe(Probe{Target: "a", Token: b.probe})
		return
	case "plan":
		b.plan()
		return
	default:
		d, err := time.ParseDuration(step)
		require.NoError(b.t, err, step)
		b.clock.advance(d)
		return
	}
	b.Report(outcome)
}

// The transitions of the plugin's circuit breaker: max_fails 3, fail_timeout 10 s.
func TestTransitions(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []string
		plans []string // the next plans, one after the other
	}{
		{"nothing happened", nil, []string{"ab", "ab"}},
		{"fewer failures than max_fails", []string{"fail", "fail"}, []string{"ab"}},
		{"max_fails failures take it out", []string{"fail", "fail", "fail"}, []string{"b", "b"}},
		{"out until fail_timeout", []string{"fail", "fail", "fail", "9.999s"}, []string{"b"}},
		{"then one request probes", []string{"fail", "fail", "fail", "10s"}, []string{"a?b", "b", "b"}},
		{"a probe that succeeds brings it back", []string{"fail", "fail", "fail", "10s", "plan", "probe ok"}, []string{"ab", "ab"}},
		{"back with a count of zero", []string{"fail", "fail", "fail", "10s", "plan", "probe ok", "fail", "fail"}, []string{"ab"}},
		{"a probe that fails keeps it out", []string{"fail", "fail", "fail", "10s", "plan", "probe fails", "9.999s"}, []string{"b"}},
		{"for another fail_timeout", []string{"fail", "fail", "fail", "10s", "plan", "probe fails", "10s"}, []string{"a?b", "b"}},
		{"again and again", []string{"fail", "fail", "fail", "10s", "plan", "probe fails", "10s", "plan", "probe fails", "10s", "plan", "probe ok"}, []string{"ab"}},
		{"a success inside the window does not reset the count", []string{"fail", "fail", "10s", "ok", "fail"}, []string{"b"}},
		{"one later than fail_timeout does", []string{"fail", "fail", "10.001s", "ok", "fail", "fail"}, []string{"ab"}},
		{"the window begins at the last failure", []string{"fail", "8s", "fail", "8s", "ok", "fail"}, []string{"b"}},
		{"the count is cumulative, however slow", []string{"fail", "1h", "fail", "1h", "fail"}, []string{"b"}},
		{"attempts sent before it went out do not end that", []string{"fail", "fail", "fail", "5s", "ok"}, []string{"b"}},
		{"nor do they when it may be probed", []string{"fail", "fail", "fail", "10s", "ok"}, []string{"a?b"}},
		{"nor do they prolong it", []string{"fail", "fail", "fail", "5s", "fail", "5s"}, []string{"a?b"}},
		{"an abandoned attempt does not count", []string{"fail", "fail", "abandoned", "1h", "abandoned", "fail"}, []string{"b"}},
		{"an abandoned probe lets the next one probe", []string{"fail", "fail", "fail", "10s", "plan", "probe abandoned"}, []string{"a?b", "b"}},
		{"so does one that was not sent", []string{"fail", "fail", "fail", "10s", "plan", "probe unsent"}, []string{"a?b", "b"}},
		{"so does one that was not reached", []string{"fail", "fail", "fail", "10s", "plan", "probe unreached"}, []string{"a?b", "b"}},
		{"a probe without an outcome is given up", []string{"fail", "fail", "fail", "10s", "plan", "10s"}, []string{"a?b", "b"}},
		{"not before its time", []string{"fail", "fail", "fail", "10s", "plan", "9.999s"}, []string{"b"}},
		{"a late outcome of a probe counts", []string{"fail", "fail", "fail", "10s", "plan", "1m", "probe ok"}, []string{"ab"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newRig(t, nil)
			for _, step := range tt.steps {
				b.do(step)
			}
			for i, want := range tt.plans {
				require.Equal(t, want, b.plan(), "plan %d", i+1)
			}
		})
	}
}

func TestAnOldProbeSaysNothingOfANewOne(t *testing.T) {
	b := newRig(t, nil)
	for _, step := range []string{"fail", "fail", "fail", "10s", "plan"} {
		b.do(step)
	}
	old := b.probe
	b.do("10s")
	require.Equal(t, "a?b", b.plan())
	b.Report(Outcome{Target: "a", Result: Answered, Status: 200, Probe: old})
	require.Equal(t, "b", b.plan())
	b.ReleaseProbe(Probe{Target: "a", Token: old})
	require.Equal(t, "b", b.plan())
}

// The criteria that count, of the plugin's table.
func TestWhatCounts(t *testing.T) {
	for _, tt := range []struct {
		outcome Outcome
		listed  []int
		counts  bool
	}{
		{Outcome{Result: Failed}, nil, true},
		{Outcome{Result: TimedOut}, nil, true},
		{Outcome{Result: Invalid}, nil, true},
		{Outcome{Result: Abandoned}, nil, false},
		{Outcome{Result: Unsent}, nil, false},
		{Outcome{Result: Answered, Status: 200}, nil, false},
		{Outcome{Result: Answered, Status: 500}, []int{500}, true},
		{Outcome{Result: Answered, Status: 500}, []int{502}, false},
		{Outcome{Result: Answered, Status: 502}, []int{502}, true},
		{Outcome{Result: Answered, Status: 503}, []int{503}, true},
		{Outcome{Result: Answered, Status: 504}, []int{504}, true},
		{Outcome{Result: Answered, Status: 429}, []int{429}, true},
		{Outcome{Result: Answered, Status: 429}, nil, false},
		{Outcome{Result: Answered, Status: 403}, []int{403}, false},
		{Outcome{Result: Answered, Status: 404}, []int{404}, false},
		{Outcome{Result: Failed, Status: 503}, nil, true}, // Envoy's own 503
	} {
		t.Run(fmt.Sprintf("%s %d of %v", tt.outcome.Result, tt.outcome.Status, tt.listed), func(t *testing.T) {
			b := newRig(t, func(o *Options) { o.Breaker.MaxFails, o.Breaker.Statuses = 1, tt.listed })
			tt.outcome.Target = "a"
			b.Report(tt.outcome)
			require.Equal(t, map[bool]string{true: "b", false: "ab"}[tt.counts], b.plan())
		})
	}
}

func TestZeroMaxFailsIsOff(t *testing.T) {
	b := newRig(t, func(o *Options) { o.Breaker.MaxFails = 0 })
	for range 100 {
		b.do("fail")
	}
	require.Equal(t, "ab", b.plan())
	require.Empty(t, b.changes)
}

func TestAllOutListsTheTargets(t *testing.T) {
	b := newRig(t, func(o *Options) { o.Breaker.MaxFails = 1 })
	b.Report(Outcome{Target: "a", Result: Failed})
	b.Report(Outcome{Target: "b", Result: Failed})
	require.Equal(t, "out:[a b]", b.plan())
	require.ElementsMatch(t, []string{"a", "b"}, b.circuits.Open())
	b.clock.advance(failTimeout)
	require.Equal(t, "a?b?", b.plan())
	require.Equal(t, "b?", b.plan(), "no plan has it first yet")
	require.Equal(t, "out:[a b]", b.plan(), "both are being probed")
}

func TestOnlyTheGroupOfThePlanCounts(t *testing.T) {
	circuits := NewCircuits(new(clock).now, nil)
	r := newTestRouter(t, func(o *Options) { o.Circuits, o.Breaker = circuits, Breaker{MaxFails: 1, FailTimeout: failTimeout} })
	r.Report(Outcome{Target: "code75", Result: Failed})
	require.Equal(t, []string{"code25"}, r.Route(t.Context(), Request{Prompt: "deadlock"}).Targets)
	r.Report(Outcome{Target: "code25", Result: Failed})
	plan := r.Route(t.Context(), Request{Prompt: "deadlock"})
	require.Equal(t, AllOut, plan.Reason)
	require.Equal(t, []string{"code75", "code25"}, plan.Unavailable)
	require.NotEmpty(t, plan.Candidates)
	require.Equal(t, []string{"life"}, r.Route(t.Context(), Request{Prompt: "cook"}).Targets)
}

func TestATargetThatIsOutMakesRoomForTheNext(t *testing.T) {
	b := newRig(t, func(o *Options) {
		o.MaxAttempts, o.Breaker.MaxFails = 2, 1
		o.Targets = append(o.Targets, Target{ID: "c", Weight: 1})
		o.Targets[1].Weight = 1
	})
	b.Report(Outcome{Target: "a", Result: Failed})
	p := b.Route(t.Context(), Request{})
	require.ElementsMatch(t, []string{"b", "c"}, p.Targets)
}

func TestStateSurvivesAReload(t *testing.T) {
	b := newRig(t, nil)
	for range 3 {
		b.do("fail")
	}
	b.circuits.Keep("a", "b")
	b.Router = b.router(nil)
	require.Equal(t, "b", b.plan())
	b.clock.advance(failTimeout)
	require.Equal(t, "a?b", b.plan())

	b.circuits.Keep("b") // a is configured no longer, and then again
	b.Router = b.router(nil)
	require.Equal(t, "ab", b.plan())
}

func TestAReloadThatTurnsTheBreakerOffBringsTargetsBack(t *testing.T) {
	b := newRig(t, nil)
	for range 3 {
		b.do("fail")
	}
	b.Router = b.router(func(o *Options) { o.Breaker.MaxFails = 0 })
	require.Equal(t, "ab", b.plan())
	require.Empty(t, b.circuits.Open())
}

func TestRetryAfterLeavesATargetAlone(t *testing.T) {
	answer := func(id string, status int, after time.Duration) Outcome {
		return Outcome{Target: id, Result: Answered, Status: status, RetryAfter: after}
	}
	for _, status := range []int{429, 503} {
		b := newRig(t, func(o *Options) { o.Breaker.MaxFails = 0 })
		b.Report(answer("a", status, 7*time.Second))
		require.Equal(t, "b", b.plan())
		b.clock.advance(7*time.Second - 1)
		require.Equal(t, "b", b.plan())
		b.clock.advance(1)
		require.Equal(t, "ab", b.plan())
		require.True(t, b.circuit["a"].healthy(), "cheap again")
	}
	t.Run("no longer than the limit", func(t *testing.T) {
		b := newRig(t, nil)
		b.Report(answer("a", 429, 24*time.Hour))
		b.clock.advance(time.Minute - 1)
		require.Equal(t, "b", b.plan())
		b.clock.advance(1)
		require.Equal(t, "ab", b.plan())
	})
	t.Run("unless none would be left", func(t *testing.T) {
		b := newRig(t, nil)
		b.Report(answer("a", 429, 7*time.Second))
		b.Report(answer("b", 503, 7*time.Second))
		require.Equal(t, "ab", b.plan())
	})
	t.Run("unless the others are out", func(t *testing.T) {
		b := newRig(t, func(o *Options) { o.Breaker.MaxFails = 1; o.Breaker.Statuses = nil })
		b.Report(answer("a", 429, 7*time.Second))
		b.Report(Outcome{Target: "b", Result: Failed})
		require.Equal(t, "a", b.plan())
	})
	t.Run("other statuses mean something else by it", func(t *testing.T) {
		b := newRig(t, nil)
		b.Report(answer("a", 301, 7*time.Second))
		require.Equal(t, "ab", b.plan())
	})
	t.Run("a limit of zero ignores it", func(t *testing.T) {
		b := newRig(t, func(o *Options) { o.Breaker.MaxRetryAfter = 0 })
		b.Report(answer("a", 429, 7*time.Second))
		require.Equal(t, "ab", b.plan())
	})
	t.Run("a shorter one does not shorten a longer one", func(t *testing.T) {
		b := newRig(t, nil)
		b.Report(answer("a", 429, 7*time.Second))
		b.Report(answer("a", 429, time.Second))
		b.clock.advance(6 * time.Second)
		require.Equal(t, "b", b.plan())
	})
}

func TestChangesAreNoticedOnce(t *testing.T) {
	b := newRig(t, nil)
	for _, step := range []string{"fail", "fail", "fail", "fail", "10s", "plan", "probe ok", "ok"} {
		b.do(step)
	}
	require.Equal(t, []Transition{{Target: "a", Open: true, For: failTimeout}, {Target: "a"}}, b.changes)
}

func TestOfManyConcurrentRequestsOneProbes(t *testing.T) {
	b := newRig(t, nil)
	for range 3 {
		b.do("fail")
	}
	for range 50 { // rounds of out, probe, out
		b.clock.advance(failTimeout)
		var probes, others atomic.Int64
		var token atomic.Uint64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				p := b.Route(t.Context(), Request{})
				if len(p.Probes) == 1 {
					probes.Add(1)
					token.Store(uint64(p.Probes[0].Token))
				} else if len(p.Targets) == 1 && p.Targets[0] == "b" {
					others.Add(1)
				}
				b.Report(Outcome{Target: "b", Result: Answered, Status: 200})
			})
		}
		all.Wait()
		require.Equal(t, []int64{1, 19}, []int64{probes.Load(), others.Load()})
		b.Report(Outcome{Target: "a", Result: Failed, Probe: ProbeToken(token.Load())})
	}
}

func TestProbesAsText(t *testing.T) {
	probes := []Probe{{"a1", 0xfeed}, {"b2", 1}}
	text := FormatProbes(probes)
	require.Equal(t, "a1=feed,b2=1", text)
	for _, p := range probes {
		require.Equal(t, p.Token, ProbeOf(text, p.Target))
	}
	for _, bad := range []string{"", "a1", "a1=", "a1=x", "=,=", "b=1"} {
		require.Zero(t, ProbeOf(bad, "a1"), bad)
	}
	require.Empty(t, FormatProbes(nil))
}

// The cost of planning without the breaker, with it, and with an open circuit breaker.
func BenchmarkPick(b *testing.B) {
	for name, change := range map[string]func(*Options){
		"nothing learned": func(o *Options) { o.Circuits = nil },
		"breaker off":     func(o *Options) { o.Breaker = Breaker{} },
		"breaker on":      nil,
	} {
		b.Run(name, func(b *testing.B) { benchmarkPick(b, newRig(b, change)) })
	}
	b.Run("one out", func(b *testing.B) {
		t := newRig(b, nil)
		for range 3 {
			t.do("fail")
		}
		benchmarkPick(b, t)
	})
}

func benchmarkPick(b *testing.B, t *rig) {
	order := newByWeight(balance{targets: []Target{{ID: "a", Weight: 2}, {ID: "b", Weight: 1}}})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			t.pick(Plan{}, Request{}, order, startWatch())
		}
	})
}
