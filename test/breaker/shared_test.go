package breaker_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/vectordb/redistest"
)

// sharing is the configuration of replicas that share state through a Redis.
func sharing(a, b *harness.Stub, redis *redistest.Server, maxFails int, failTimeout time.Duration) string {
	p := plugin(a, b, map[string]any{"max_fails": maxFails, "fail_timeout": int(failTimeout.Milliseconds()), "shared_state": true})
	p.VectorDB = map[string]any{
		"strategy": "redis", "distance_metric": "cosine", "dimensions": 1024,
		"redis": map[string]any{"host": redis.Host, "port": redis.Port},
	}
	return harness.Config(p)
}

// Two replicas, each with its own Envoy.
func TestReplicasShareStateThroughRedis(t *testing.T) {
	redis := redistest.Start(t)
	t.Cleanup(func() { awaitNoDial(t) })
	one := &world{t: t, a: harness.NewStub(t, "a"), b: harness.NewStub(t, "b"), client: harness.NewClient(t, harness.HTTP1)}
	two := *one
	const failTimeout = 10 * time.Second // far above what a loaded machine is late
	config := sharing(one.a, one.b, redis, 2, failTimeout)
	options := harness.Options{Config: config, Own: true, Flags: []string{"--embeddings", "builtin"}}
	one.Semlb, two.Semlb = harness.Start(t, options), harness.Start(t, options)

	one.trip(2)
	two.lines(0, 1, "target is out")
	one.a.Reset()
	by, _ := two.ask()
	require.Equal(t, "b", by, "plans of the other replica skip it too")
	require.Zero(t, asked(one.a))

	time.Sleep(failTimeout)
	by, _ = two.ask()
	require.Equal(t, "a", by, "one of them probes")
	one.lines(0, 1, "target is back")
	by, _ = one.ask()
	require.Equal(t, "a", by)

	redis.Kill()
	two.a.Do(harness.Status(http.StatusServiceUnavailable))
	for range 3 {
		_, answer := one.ask()
		require.Equal(t, 200, answer.Status, "without Redis each replica uses its local state")
	}
	one.lines(0, 2, "target is out")
	two.lines(0, 1, "shared target state unavailable")
	asked(one.a)
	by, _ = two.ask()
	require.Equal(t, "a", by, "the other does not know")
}

// awaitNoDial waits until the Redis client library has stopped dialling a server that is
// down, within a second after the client is closed.
func awaitNoDial(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		stacks := make([]byte, 4<<20)
		return !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("pool.(*ConnPool).tryDial"))
	}, time.Minute, 20*time.Millisecond)
}

// The configuration that a reload replaced is retired, for requests under way. It must not
// receive the events of other replicas in place of the new one.
func TestAReloadThatTurnsTheBreakerOnSeesOtherReplicas(t *testing.T) {
	redis := redistest.Start(t)
	one := &world{t: t, a: harness.NewStub(t, "a"), b: harness.NewStub(t, "b"), client: harness.NewClient(t, harness.HTTP1)}
	two := *one
	on := sharing(one.a, one.b, redis, 1, time.Minute)
	file := filepath.Join(t.TempDir(), "plugin.yaml")
	require.NoError(t, os.WriteFile(file, []byte(sharing(one.a, one.b, redis, 0, time.Minute)), 0o600))
	flags := []string{"--embeddings", "builtin"}
	one.Semlb = harness.Start(t, harness.Options{Config: on, Own: true, Flags: flags})
	two.Semlb = harness.Start(t, harness.Options{Config: "_format_version: \"3.0\"\n", Own: true, Flags: append(flags, "-c", file)})
	require.NoError(t, os.WriteFile(file, []byte(on), 0o600))
	two.lines(0, 1, "msg=reloaded")

	one.trip(1)
	two.lines(0, 1, "target is out")
	one.a.Reset()
	by, _ := two.ask()
	require.Equal(t, "b", by)
	require.Zero(t, asked(one.a))
}
