package app

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// envoys is a fixed state of the connected Envoys.
type envoys struct {
	connected, inForce, serving bool
	refusal                     error
}

func (e envoys) Connected() bool  { return e.connected }
func (e envoys) InForce() bool    { return e.inForce }
func (e envoys) Serving() bool    { return e.serving }
func (e envoys) Refusal() error   { return e.refusal }
func (e envoys) Envoys() []string { return nil }

func newTestReadiness(state envoys, needsEnvoy bool) (r *readiness, published *bool, restarts *int) {
	published, restarts = new(bool), new(int)
	return newReadiness(readinessOptions{
		Control: state, Publish: func(ready bool) { *published = ready }, NeedsEnvoy: needsEnvoy,
		Reach:        newReach(reachOptions{Unreachable: func() error { return nil }, EnvoySeen: func() bool { return true }, Log: slog.New(slog.DiscardHandler)}),
		Resolving:    func() bool { return false },
		CountRestart: func() { *restarts++ }, Log: slog.New(slog.DiscardHandler),
	}), published, restarts
}

func TestNotReadyWhileTheChildEnvoyIsDown(t *testing.T) {
	r, published, restarts := newTestReadiness(envoys{connected: true, inForce: true}, true)
	require.False(t, r.EnvoyEnded(), "it has never been ready, so a restart would not help")
	require.Zero(t, *restarts)

	require.True(t, r.set(true))
	require.True(t, *published)
	require.True(t, r.EnvoyEnded())
	require.Equal(t, 1, *restarts)
	require.False(t, *published)
	r.update()
	require.False(t, *published, "its xDS stream may still be open for a moment")
	r.EnvoyRestarting()
	r.update()
	require.True(t, *published)
}

func TestReadyByTheStateOfEnvoys(t *testing.T) {
	refused := errors.New("refused")
	for _, tt := range []struct {
		name            string
		state           envoys
		needsEnvoy, was bool
		want            bool
	}{
		{"no Envoy yet", envoys{}, false, false, true},
		{"no child yet", envoys{}, true, false, false},
		{"Envoys have left", envoys{}, true, true, true},
		{"acknowledged", envoys{connected: true, inForce: true}, true, false, true},
		{"unacknowledged", envoys{connected: true}, false, false, false},
		{"unacknowledged change", envoys{connected: true}, false, true, true},
		{"refused change", envoys{connected: true, serving: true, refusal: refused}, false, true, true},
		{"refused by an Envoy without another", envoys{connected: true, refusal: refused}, false, true, false},
		{"refused from the start", envoys{connected: true, serving: true, refusal: refused}, false, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, published, _ := newTestReadiness(tt.state, tt.needsEnvoy)
			r.set(tt.was)
			r.update()
			require.Equal(t, tt.want, *published)
		})
	}
}

func TestARestartEndsReadinessUntilItIsOver(t *testing.T) {
	f := startFixture(t, plain)
	f.awaitReadyz(http.StatusOK)
	require.True(t, f.ready.EnvoyEnded())
	require.Equal(t, http.StatusServiceUnavailable, f.readyz())
	f.ready.EnvoyRestarting()
	f.awaitReadyz(http.StatusOK)
}

func TestNotReadyWhileNoEnvoyCanConnectAndNoneHas(t *testing.T) {
	for connected, want := range map[bool]bool{false: false, true: true} {
		r, published, _ := newTestReadiness(envoys{connected: connected, inForce: connected}, false)
		r.set(true)
		r.options.Reach.options.Unreachable = func() error { return errors.New("removed") }
		r.update()
		require.Equal(t, want, *published)
		page := httptest.NewRecorder()
		statusHandler(nil, r).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
		require.Contains(t, page.Body.String(), "removed")
	}
}

func TestReadinessWaitsForNamesButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, published, _ := newTestReadiness(envoys{connected: true, inForce: true}, true)
		resolving := true
		r.options.Resolving = func() bool { return resolving }
		r.update()
		require.False(t, *published)
		resolving = false
		r.update()
		require.True(t, *published)

		require.True(t, r.EnvoyEnded())
		r.EnvoyRestarting()
		resolving = true
		r.update()
		require.False(t, *published)
		time.Sleep(namesWait)
		r.update()
		require.True(t, *published, "a name that is never resolved")
		r.update()
		require.True(t, *published)
	})
}
