package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/providertest"
	"semlb/router"
)

// On a later attempt the client would get an error of ours.
func TestTargetsThatARequestCannotBeWrittenForAreLeftOutOfItsPlan(t *testing.T) {
	targets := make(map[string]*Target)
	for id, model := range map[string]string{"plain": "m", "captured": "$(uri_captures.m)", "header": "$(headers.x-m)", "own": ""} {
		targets[id] = &Target{Target: providertest.NewTarget(t, provider.Settings{ID: id, Provider: "openai", Model: model})}
	}
	for _, tt := range []struct {
		name           string
		x              exchange
		body           string
		targets, want  []string
		probes, remain []router.Probe
	}{
		{
			name: "a group that the path lacks", targets: []string{"plain", "captured"}, want: []string{"plain"},
			probes: []router.Probe{{Target: "captured", Token: 1}, {Target: "plain", Token: 2}}, remain: []router.Probe{{Target: "plain", Token: 2}},
		},
		{name: "the path has it", x: exchange{captures: map[string]string{"m": "v"}}, targets: []string{"plain", "captured"}, want: []string{"plain", "captured"}},
		{name: "the first", targets: []string{"header", "plain"}, want: []string{"plain"}},
		{name: "a model that nobody names", targets: []string{"plain", "own"}, want: []string{"plain"}},
		{name: "the request names it", body: `{"model":"x","messages":[]}`, targets: []string{"plain", "own"}, want: []string{"plain", "own"}},
		{name: "none is left: attempt 1 says why", targets: []string{"header", "captured"}, want: []string{"header", "captured"}},
		{name: "one target", targets: []string{"header"}, want: []string{"header"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.body == "" {
				tt.body = `{"messages":[]}`
			}
			request, err := provider.ReadRequest([]byte(tt.body))
			require.NoError(t, err)
			var back []router.Probe
			instance := &Instance{Targets: targets, Router: prober{back: &back}}
			plan := router.Plan{Targets: tt.targets, Probes: tt.probes}
			before := append([]string(nil), tt.targets...)
			unfit := leaveOutUnfit(&tt.x, request, instance, &plan)
			require.Equal(t, tt.want, plan.Targets)
			require.ElementsMatch(t, before, append(unfit, plan.Targets...))
			require.Equal(t, before, tt.targets, "the router's own list stays")
			require.Equal(t, tt.remain, plan.Probes)
			require.Len(t, back, len(tt.probes)-len(tt.remain))
			require.Equal(t, tt.remain, tt.x.probes)
		})
	}
}
