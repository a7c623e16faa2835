package rolling_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestAChangeIsRolledOutUnderLoad replaces both replicas by ones with another configuration,
// first one in which options, weights and read_timeout differ, then ones for which Envoy
// replaces all clusters.
func TestAChangeIsRolledOutUnderLoad(t *testing.T) {
	w := newWorld(t, 2)
	failing, well := harness.NewStub(t, "also-failing"), harness.NewStub(t, "also-well")
	failing.Do(harness.Status(503))
	failing.Forget()
	well.Forget()
	options := plugin(w.failing, w.well)
	options.ReadTimeout = 50_000
	options.Targets[1].Options, options.Targets[1].Weight = map[string]any{"temperature": 0.5}, 20
	timeout := options
	timeout.ConnectTimeout = 50_000
	w.awaitHealthy()
	l := w.begin()
	for _, change := range []struct {
		name string
		to   harness.Plugin
	}{{"options, weight and read_timeout", options}, {"connect_timeout", timeout}, {"all endpoints", plugin(failing, well)}} {
		w.config = harness.WriteConfig(t, harness.Config(change.to))
		w.replaceAll(l)
		wrong := l.failures()
		t.Logf("%s: %d requests so far, %d failed", change.name, l.counted(), len(wrong))
		require.Empty(t, wrong)
	}
	l.end()
	l.report(t, "three changes")
}
