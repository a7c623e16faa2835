package app

import (
	"net/http"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// restarts is the value of semlb_envoy_restarts_total.
func (f *fixture) restarts() float64 {
	var m dto.Metric
	require.NoError(f.t, f.envoyRestarts.Write(&m))
	return m.GetCounter().GetValue()
}

func TestNotReadyWhileTheChildEnvoyIsDown(t *testing.T) {
	f := startFixture(t, plain, func(string) {})
	require.False(t, f.EnvoyEnded(), "it has never been ready, so a restart would not help")
	require.Zero(t, f.restarts())

	require.True(t, f.setReady(true))
	require.Equal(t, http.StatusOK, f.readyz())
	require.True(t, f.EnvoyEnded())
	require.EqualValues(t, 1, f.restarts())
	require.Equal(t, http.StatusServiceUnavailable, f.readyz())
	// Its xDS stream may still be open for a moment.
	require.False(t, f.setReady(true))
	require.Equal(t, http.StatusServiceUnavailable, f.readyz())
	f.EnvoyRestarting()
	require.True(t, f.setReady(true))
	require.Equal(t, http.StatusOK, f.readyz())
}
