package router

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mixed makes the targets those of two route types.
func mixed(o *Options) {
	o.Targets = []Target{
		{ID: "life chat", Description: life, Weight: 1, RouteType: "chat"},
		{ID: "code text", Description: code, Weight: 9, RouteType: "text"},
		{ID: "life text", Description: life, Weight: 1, RouteType: "text"},
		{ID: "rest chat", Description: Catchall, Weight: 1, RouteType: "chat"},
	}
}

func TestTargetsServeRequestsOfTheirRouteType(t *testing.T) {
	for _, tt := range []struct {
		routeType, prompt string
		targets           []string
		reason            Reason
	}{
		{"chat", "cook", []string{"life chat"}, Matched},
		{"text", "cook", []string{"life text"}, Matched},
		{"text", "deadlock", []string{"code text"}, Matched},
		{"chat", "deadlock", []string{"rest chat"}, CaughtAll}, // the nearest of all is of the other type
		{"text", "hello", []string{"code text"}, BeyondThreshold},
		{"chat", "", []string{"rest chat"}, NoPrompt},
		{"text", "", []string{"code text"}, NoPrompt},
		{"text", "unknown text", []string{"code text"}, Degraded},
		{"audio", "cook", nil, NoMatch},
	} {
		plan := newTestRouter(t, mixed).Route(t.Context(), Request{Prompt: tt.prompt, Needs: Needs{RouteType: tt.routeType}})
		require.Equal(t, tt.reason, plan.Reason, "%s %s", tt.routeType, tt.prompt)
		require.Equal(t, tt.targets, plan.Targets, "%s %s", tt.routeType, tt.prompt)
	}
}

func TestAlgorithmsBalanceTargetsOfOneRouteType(t *testing.T) {
	r, err := New(Options{Algorithm: RoundRobin, MaxAttempts: 3, Targets: []Target{
		{ID: "a", Weight: 1, RouteType: "chat"}, {ID: "b", Weight: 1, RouteType: "text"}, {ID: "c", Weight: 1, RouteType: "chat"},
	}})
	require.NoError(t, err)
	for routeType, want := range map[string][]string{"chat": {"a", "c"}, "text": {"b"}} {
		q := Request{Needs: Needs{RouteType: routeType}}
		require.ElementsMatch(t, want, r.Route(t.Context(), q).Targets)
		require.ElementsMatch(t, want, r.Degrade(q, errDown).Targets)
		require.ElementsMatch(t, want, r.Retired().Route(t.Context(), q).Targets)
	}
}

// Targets of all groups get their outcomes, also those that a retired router would not plan.
func TestARetiredRouterReportsToTheCircuitBreakersOfItsTargets(t *testing.T) {
	for _, failing := range []string{"life chat", "code text", "rest chat"} {
		circuits := NewCircuits(time.Now, nil)
		r := newTestRouter(t, func(o *Options) {
			mixed(o)
			o.Circuits, o.Breaker = circuits, Breaker{MaxFails: 1, FailTimeout: time.Minute}
		})
		retired := r.Retired()
		retired.Report(Outcome{Target: failing, Result: Failed})
		require.Equal(t, []string{failing}, circuits.Open())
		retired.Report(Outcome{Target: "unknown", Result: Failed})
		require.NotNil(t, retired.Route(t.Context(), Request{Needs: Needs{RouteType: "chat"}}), "of the default group, whatever is out")
	}
}
