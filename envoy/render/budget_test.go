package render

import (
	"maps"
	"slices"
	"testing"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	matchingv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/common/matching/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"github.com/stretchr/testify/require"

	"semlb/envoy"
	"semlb/envoy/parts"
)

// processors are the ext_proc filters of a listener for whose answers Envoy waits, by
// their role.
func processors(t *testing.T, l *listenerv3.Listener) map[string]*extprocv3.ExternalProcessor {
	t.Helper()
	all := make(map[string]*extprocv3.ExternalProcessor)
	for _, chain := range l.GetFilterChains() {
		var manager hcmv3.HttpConnectionManager
		require.NoError(t, chain.GetFilters()[0].GetTypedConfig().UnmarshalTo(&manager))
		for _, filter := range manager.GetHttpFilters() {
			m, err := filter.GetTypedConfig().UnmarshalNew()
			require.NoError(t, err)
			if gated, ok := m.(*matchingv3.ExtensionWithMatcher); ok {
				m, err = gated.GetExtensionConfig().GetTypedConfig().UnmarshalNew()
				require.NoError(t, err)
			}
			if p, ok := m.(*extprocv3.ExternalProcessor); ok && !p.GetObservabilityMode() {
				all[p.GetGrpcService().GetInitialMetadata()[0].GetValue()] = p
			}
		}
	}
	return all
}

// Envoy's timeout is longer than semlb's, so that semlb's own answer counts.
func TestEnvoyWaitsLongerThanADecisionMayTake(t *testing.T) {
	for _, budget := range []time.Duration{time.Millisecond, time.Second, time.Minute} {
		c := testConfig()
		c.DecisionBudget = budget
		r := NewResources(parts.New(c))
		for i, roles := range [][]string{{envoy.RoleUpload, envoy.RoleOuter}, {envoy.RoleInner}} {
			p := processors(t, r.Listeners[i])
			require.ElementsMatch(t, roles, slices.Collect(maps.Keys(p)))
			for _, role := range roles {
				require.Greater(t, p[role].GetMessageTimeout().AsDuration(), budget, "%s, budget %s", role, budget)
				if longest := p[role].GetMaxMessageTimeout(); longest != nil {
					require.Greater(t, longest.AsDuration(), budget)
				}
			}
		}
	}
}
