package rolling_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestARollingRestartDropsNoRequests stops and starts both replicas in turn, as a
// Deployment does, while sixteen clients send requests.
func TestARollingRestartDropsNoRequests(t *testing.T) {
	w := newWorld(t, 2)
	l := w.begin()
	time.Sleep(time.Second)
	for round := range 3 {
		for i := range w.replicas {
			before := l.counted()
			took, status := w.replicas[i].Stop(time.Minute)
			require.Zero(t, status, w.replicas[i].Log())
			require.GreaterOrEqual(t, took, drain)
			require.Less(t, took, drain+30*time.Second, "nothing but the drain window was to be waited for")
			w.start(i)
			t.Logf("round %d: replica %d ended %s after SIGTERM; %d requests meanwhile", round+1, i, took.Round(time.Millisecond), l.counted()-before)
			w.awaitHealthy()
		}
	}
	l.end()
	l.report(t, "six restarts with SIGTERM")
	require.Greater(t, l.answers, 500)
	require.Empty(t, l.wrong)
}

// TestAReplicaIsNotReadyBeforeItStops: Kubernetes and Envoy look at these.
func TestAReplicaIsNotReadyBeforeItStops(t *testing.T) {
	w := newWorld(t, 1)
	ready := "http://" + w.statuses[0] + "/readyz"
	require.Equal(t, 200, harness.StatusOf(ready))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.replicas[0].Stop(time.Minute)
	}()
	harness.AwaitStatus(t, ready, 503)
	start := time.Now()
	// It still serves: there is no other one.
	l := &load{}
	for time.Since(start) < drain/2 {
		l.ask(harness.NewClient(t, harness.HTTP1), w.url, 0, 0)
	}
	require.Empty(t, l.wrong)
	require.NotZero(t, l.answers)
	<-stopped
}

// TestAKilledReplicaCostsOnlyRequestsUnderWay kills one replica after the other without a
// warning. The decisions it was making fail, at once and with an error that says so;
// those of later requests are made by the other one.
func TestAKilledReplicaCostsOnlyRequestsUnderWay(t *testing.T) {
	const restartAfter, atOnce = 3 * time.Second, 20 * time.Second
	w := newWorld(t, 2)
	l := w.begin()
	time.Sleep(time.Second)
	var kills []time.Time
	for range 3 {
		for i := range w.replicas {
			kills = append(kills, time.Now())
			before := l.counted()
			w.replicas[i].Kill()
			time.Sleep(restartAfter)
			require.Eventually(t, func() bool { return l.counted()-before > 2*clients }, time.Minute, 10*time.Millisecond, "the other replica decides meanwhile")
			w.start(i)
			w.awaitHealthy()
		}
	}
	l.end()
	l.report(t, "six kills")
	// Each client has one request in flight, so a kill fails at most that one.
	failed := make(map[[2]int]int) // by kill and client
	for _, f := range l.wrong {
		require.Contains(t, f.what, "router_unavailable")
		kill := -1
		for i, k := range kills {
			if d := f.at.Sub(k); d >= 0 && d < atOnce {
				kill = i
			}
		}
		require.NotEqual(t, -1, kill, "a request failed at %s, long after a kill", f.at.Format("15:04:05.000"))
		failed[[2]int{kill, f.client}]++
		require.Equal(t, 1, failed[[2]int{kill, f.client}], "client %d lost more than the request in flight at kill %d", f.client, kill+1)
	}
}
