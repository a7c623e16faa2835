package router

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the default group is does not depend on the algorithm.
func TestDegradePlansTheDefaultGroup(t *testing.T) {
	cause := errors.New("panic")
	for _, a := range []Algorithm{Semantic, RoundRobin, Priority} {
		r := newTestRouter(t, func(o *Options) { o.Algorithm = a })
		plan := r.Degrade(Request{}, cause)
		require.Equal(t, Degraded, plan.Reason, a)
		require.Equal(t, []string{"code75", "code25"}, plan.Targets, a)
		require.ErrorIs(t, plan.Err, cause)
	}
}
