package rolling_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

const key = "Bearer key-of-the-target"

// world is an Envoy with its replicas of semlb, and the targets behind.
type world struct {
	t         *testing.T
	binary    string
	config    string
	url       string
	admin     string   // the URL of Envoy's admin interface
	addresses []string // of the replicas' gRPC
	statuses  []string
	replicas  []*process.Process
	failing   *harness.Stub
	well      *harness.Stub
	envoy     *process.Process
}

// newWorld starts everything: two targets, of which the first refuses every request,
// so that each takes two decisions.
func newWorld(t *testing.T, replicas int) *world {
	t.Helper()
	return newWorldOf(t, harness.Build(t), replicas)
}

// newWorldOf is newWorld with a program of semlb.
func newWorldOf(t *testing.T, binary string, replicas int) *world {
	t.Helper()
	w := &world{t: t, binary: binary, failing: harness.NewStub(t, "failing"), well: harness.NewStub(t, "well")}
	w.failing.Do(harness.Status(429))
	w.failing.Forget()
	w.well.Forget()
	w.config = harness.WriteConfig(t, harness.Config(plugin(w.failing, w.well)))
	listen := harness.FreeAddress(t)
	w.url = "http://" + listen
	w.admin = "http://" + harness.FreeAddress(t)
	args := []string{"envoy", "--envoy-admin", strings.TrimPrefix(w.admin, "http://")}
	for range replicas {
		w.addresses = append(w.addresses, harness.FreeAddress(t))
		w.statuses = append(w.statuses, harness.FreeAddress(t))
		args = append(args, "--grpc-address", w.addresses[len(w.addresses)-1])
	}
	w.replicas = make([]*process.Process, replicas)
	for i := range replicas {
		w.start(i)
	}
	bootstrap, err := exec.CommandContext(t.Context(), binary, args...).Output()
	require.NoError(t, err)
	w.envoy = harness.RunEnvoy(t, string(bootstrap))
	harness.AwaitListener(t, w.url)
	return w
}

// plugin has two targets, of which the first one refuses every request.
func plugin(failing, well *harness.Stub) harness.Plugin {
	return harness.Plugin{Failover: harness.SeedCriteria(), Targets: []harness.Target{
		{URL: failing.URL, Model: "first", Weight: 75, Authorization: key},
		{URL: well.URL, Model: "second", Weight: 25, Authorization: key},
	}}
}

// start starts a replica and waits until it is ready.
func (w *world) start(i int) {
	w.t.Helper()
	w.replicas[i] = process.Start(w.t, w.binary, "serve", "-c", w.config, "--embeddings", "builtin", "--vectordb", "memory",
		"--listen", strings.TrimPrefix(w.url, "http://"), "--status", w.statuses[i],
		"--grpc-socket", "", "--grpc-listen", w.addresses[i], "--drain", drain.String(), "--log-level", "warn", "--admin", "off")
	harness.AwaitReady(w.t, "http://"+w.statuses[i])
}

// replaceAll stops the replicas one after the other, and starts each again with the program
// and the configuration of now, while clients go on.
func (w *world) replaceAll(l *load) {
	w.t.Helper()
	for i := range w.replicas {
		before := l.counted()
		_, status := w.replicas[i].Stop(time.Minute)
		require.Zero(w.t, status, w.replicas[i].Log())
		w.start(i)
		w.awaitHealthy()
		require.Eventually(w.t, func() bool { return l.counted()-before > 2*clients }, time.Minute, 10*time.Millisecond)
	}
}

// awaitHealthy waits until Envoy finds all replicas healthy.
func (w *world) awaitHealthy() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		return harness.EnvoyStat(w.t, w.admin, `^cluster\.semlb_service\.membership_healthy$`) == len(w.replicas)
	}, time.Minute, 50*time.Millisecond)
}

// drain is how long a replica serves after it has reported that it is not ready.
const drain = 5 * time.Second
