package envoy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/envoy/envoytest"
)

func TestReplansAreGolden(t *testing.T) {
	replan := Replan{
		Set:    []Header{{HeaderPlan, "a1,b2"}, {HeaderInstance, "i&="}},
		Remove: []string{"authorization", "x-odd"}, Policy: NewPolicy([]string{"error", "http_429", "http_503", "non_idempotent"}),
	}
	envoytest.Golden(t, "mutation-replan", WithReplan(PassRequest(nil, nil), replan))
	require.Len(t, replan.Set, 2, "is left as it is")
	require.Contains(t, Replan{}.encode(), keyStatuses+"=++&", "a list of none is not the lack of a list")
}

func TestRequestsThatRepeatAbsentAttempts(t *testing.T) {
	for _, p := range []Policy{{}, NewPolicy([]string{"error", "timeout", "non_idempotent"})} {
		for _, repeat := range []bool{true, false} {
			require.Equal(t, repeat, RepeatsAbsent(p.Headers(1, repeat)[0].Value))
		}
	}
}
