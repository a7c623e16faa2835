package breaker_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/vectordb/redistest"
)

// Two replicas, each with an Envoy of its own.
func TestReplicasShareStateThroughRedis(t *testing.T) {
	redis := redistest.Start(t)
	one := &world{t: t, a: harness.NewStub(t, "a"), b: harness.NewStub(t, "b"), client: harness.NewClient(t, harness.HTTP1)}
	two := *one
	p := plugin(one.a, one.b, map[string]any{"max_fails": 2, "fail_timeout": 1500, "shared_state": true})
	p.VectorDB = map[string]any{
		"strategy": "redis", "distance_metric": "cosine", "dimensions": 1024,
		"redis": map[string]any{"host": redis.Host, "port": redis.Port},
	}
	options := harness.Options{Config: harness.Config(p), Own: true, Flags: []string{"--embeddings", "builtin"}}
	one.Semlb, two.Semlb = harness.Start(t, options), harness.Start(t, options)

	one.takeOut(2)
	two.lines(0, 1, "target is out")
	one.a.Reset()
	by, _ := two.ask()
	require.Equal(t, "b", by, "the other replica leaves it out too")
	require.Zero(t, asked(one.a))

	time.Sleep(1600 * time.Millisecond)
	by, _ = two.ask()
	require.Equal(t, "a", by, "one of them probes")
	one.lines(0, 1, "target is back")
	by, _ = one.ask()
	require.Equal(t, "a", by)

	redis.Kill()
	two.a.Do(harness.Status(http.StatusServiceUnavailable))
	for range 3 {
		_, answer := one.ask()
		require.Equal(t, 200, answer.Status, "without Redis each goes by its own")
	}
	one.lines(0, 2, "target is out")
	two.lines(0, 1, "the state of targets is not shared")
	asked(one.a)
	by, _ = two.ask()
	require.Equal(t, "a", by, "the other does not know")
}
