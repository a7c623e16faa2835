package parts

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/envoy"
)

func TestLimitsKeepFailover(t *testing.T) {
	for _, body := range []int64{0, 8192, 1 << 20, 4 << 20, 1 << 40} {
		l := limitsFor(body)
		require.Greater(t, l.outerRoute, 2*uint64(l.outerConnection))
		require.Greater(t, l.innerRoute, 2*uint64(l.innerConnection))
		require.Greater(t, l.innerConnection, l.outerConnection)
		require.Equal(t, l.outerConnection, l.window)
		require.GreaterOrEqual(t, int64(l.outerConnection), min(body, envoy.MaxBodyLimit)+margin)
	}
}
