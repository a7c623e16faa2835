package clock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAJumpChangesTheWallTimeOnly(t *testing.T) {
	for _, d := range []time.Duration{24 * time.Hour, -24 * time.Hour, -time.Second} {
		before := time.Now()
		after := jump(before, d)
		require.Equal(t, before.Unix()+int64(d/time.Second), after.Unix())
		require.Equal(t, before.Nanosecond(), after.Nanosecond())
		require.Zero(t, after.Sub(before), "the monotonic time is the same")
		require.Equal(t, d, after.Round(0).Sub(before.Round(0)))
	}
	c := new(Clock)
	c.Jump(time.Hour)
	c.Jump(-time.Hour)
	require.WithinDuration(t, time.Now().Round(0), c.Now().Round(0), time.Minute)
}
