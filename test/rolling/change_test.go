package rolling_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// mostAtTakeover is how many requests may fail when no cluster stays the same: those that are
// under way in the milliseconds in which Envoy replaces the clusters of one replica by
// those of another, twice for each client and change.
const mostAtTakeover = 2 * 2 * clients

// TestAChangeIsRolledOutUnderLoad replaces both replicas by ones with another configuration,
// first one in which options, weights and read_timeout differ, then one that needs other
// clusters.
func TestAChangeIsRolledOutUnderLoad(t *testing.T) {
	w := newWorld(t, 2)
	failing, well := harness.NewStub(t, "also-failing"), harness.NewStub(t, "also-well")
	failing.Do(harness.Status(503))
	failing.Forget()
	well.Forget()
	options := plugin(w.failing, w.well)
	options.ReadTimeout = 50_000
	options.Targets[1].Options, options.Targets[1].Weight = map[string]any{"temperature": 0.5}, 20
	w.awaitHealthy()
	l := w.begin()
	for _, change := range []struct {
		name    string
		to      harness.Plugin
		mayFail int
	}{{"options, weight and read_timeout", options, 0}, {"all endpoints", plugin(failing, well), mostAtTakeover}} {
		w.config = harness.WriteConfig(t, harness.Config(change.to))
		for i := range w.replicas {
			before := l.counted()
			_, status := w.replicas[i].Stop(time.Minute)
			require.Zero(t, status, w.replicas[i].Log())
			w.start(i)
			w.awaitHealthy()
			require.Eventually(t, func() bool { return l.counted()-before > 2*clients }, time.Minute, 10*time.Millisecond)
		}
		wrong := l.failures()
		t.Logf("%s: %d requests so far, %d failed", change.name, l.counted(), len(wrong))
		require.LessOrEqual(t, len(wrong), change.mayFail, wrong)
		for _, f := range wrong {
			require.Contains(t, f.what, "upstream_unavailable")
		}
	}
	l.end()
	l.report(t, "two changes")
}
