package rolling_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestAnotherVersionIsReplacedUnderLoad replaces both replicas of another version of semlb by
// ones of this version, and then these by the former: `make upgrade` builds the other one.
// Envoy has the bootstrap of the other version.
func TestAnotherVersionIsReplacedUnderLoad(t *testing.T) {
	from := os.Getenv("SEMLB_FROM")
	if from == "" {
		t.Skip("SEMLB_FROM names no semlb of another version; see make upgrade")
	}
	w := newWorldOf(t, from, 2)
	w.awaitHealthy()
	l := w.begin()
	for _, to := range []string{harness.Build(t), from} {
		w.binary = to
		w.replaceAll(l)
		t.Logf("to %s: %d requests so far", to, l.counted())
	}
	l.end()
	l.report(t, "there and back")
	require.Empty(t, l.wrong)
}
