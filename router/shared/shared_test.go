package shared_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/router"
	"semlb/router/shared"
	"semlb/vectordb"
	"semlb/vectordb/redistest"
)

func TestMain(m *testing.M) {
	vectordb.RouteRedisClientLog(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

const (
	failTimeout = 700 * time.Millisecond
	soon        = 5 * time.Second
)

// replica is one of several that plan for the same targets, a before b.
type replica struct {
	*router.Router
	t      *testing.T
	shared *shared.Redis
	log    *text
}

// text is a log that several goroutines write.
type text struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *text) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

func (o *text) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

func newReplica(t *testing.T, addr, name string) *replica {
	t.Helper()
	client, err := vectordb.NewRedisClient(vectordb.RedisOptions{Addr: addr, PoolSize: 3, ConnectTimeout: 300 * time.Millisecond, ReadTimeout: 300 * time.Millisecond})
	require.NoError(t, err)
	r := &replica{t: t, log: new(text)}
	r.shared = shared.New(client, shared.Options{Key: "kong:test", Replica: name, Log: slog.New(slog.NewTextHandler(r.log, nil))})
	r.Router, err = router.New(router.Options{
		Algorithm: router.Priority, MaxAttempts: 2,
		Targets: []router.Target{{ID: "a", Weight: 2}, {ID: "b", Weight: 1}},
		Health:  router.NewHealth(time.Now, nil),
		Breaker: router.Breaker{MaxFails: 3, FailTimeout: failTimeout, ProbeTimeout: 5 * time.Second, MaxRetryAfter: time.Minute},
		Share:   r.shared.Publish,
	})
	require.NoError(t, err)
	r.shared.Start(r.Apply)
	t.Cleanup(func() { require.NoError(t, r.shared.Close()) })
	return r
}

func (r *replica) fail(n int) {
	for range n {
		r.Report(router.Outcome{Target: "a", Result: router.Failed})
	}
}

// plan is a plan as text; a target that is probed has a question mark.
func (r *replica) plan() string {
	p := r.Route(r.t.Context(), "")
	out := strings.Join(p.Targets, "")
	for _, probe := range p.Probes {
		out = strings.Replace(out, probe.Target, probe.Target+"?", 1)
	}
	return out
}

func (r *replica) await(plan string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.plan() == plan }, soon, time.Millisecond, "plan %s, log %s", plan, r.log)
}

func (r *replica) awaitLog(line string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return strings.Contains(r.log.String(), line) }, soon, time.Millisecond, "%s", line)
}

func TestReplicasShareWhatTheyLearn(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	one.fail(3)
	out := time.Now()
	require.Equal(t, "b", one.plan())
	two.await("b")
	t.Logf("the other replica knew %s later", time.Since(out))

	time.Sleep(time.Until(out.Add(failTimeout + 50*time.Millisecond)))
	p := one.Route(t.Context(), "")
	require.Len(t, p.Probes, 1)
	time.Sleep(100 * time.Millisecond)
	require.Equal(t, "b", two.plan(), "one replica probes for all")

	// The access log may reach another replica than the plan came from.
	two.Report(router.Outcome{Target: "a", Result: router.Answered, Status: 200, Probe: p.Probes[0].Token})
	require.Equal(t, "ab", two.plan())
	one.await("ab")
}

func TestFailuresOfAllReplicasCount(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	one.fail(1)
	two.fail(1)
	time.Sleep(200 * time.Millisecond)
	require.Equal(t, "ab", one.plan())
	one.fail(1)
	require.Equal(t, "b", one.plan())
	two.await("b")
}

func TestRetryAfterIsShared(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	one.Report(router.Outcome{Target: "a", Result: router.Answered, Status: 429, RetryAfter: time.Second})
	two.await("b")
	two.await("ab")
}

func TestAReplicaThatStartsKnowsWhatTheOthersLearned(t *testing.T) {
	server := redistest.Start(t)
	one := newReplica(t, server.Addr, "one")
	one.Report(router.Outcome{Target: "b", Result: router.Failed})
	one.fail(3)
	two := newReplica(t, server.Addr, "two")
	two.await("b")
	time.Sleep(failTimeout)
	two.await("a?b")
	three := newReplica(t, server.Addr, "three")
	three.await("b") // and that it is being probed
}

func TestWithoutRedisEachReplicaGoesByItsOwn(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	one.fail(1)
	server.Kill()
	one.awaitLog("not shared")
	two.awaitLog("not shared")
	one.fail(2)
	require.Equal(t, "b", one.plan())
	require.Equal(t, "ab", two.plan())

	server.Restart()
	two.awaitLog("shared again")
	one.awaitLog("shared again")
	time.Sleep(failTimeout)
	p := one.Route(t.Context(), "")
	require.Len(t, p.Probes, 1)
	one.Report(router.Outcome{Target: "a", Result: router.Failed, Probe: p.Probes[0].Token})
	two.await("b")
	require.Equal(t, 1, strings.Count(one.log.String(), "doing=read error"), "logged once: %s", one.log)
}

func TestAFrozenRedisHoldsNobodyUp(t *testing.T) {
	server := redistest.Start(t)
	one := newReplica(t, server.Addr, "one")
	one.fail(1)
	server.Pause()
	defer server.Resume()
	start := time.Now()
	for range 10_000 {
		one.Report(router.Outcome{Target: "a", Result: router.Answered, Status: 429, RetryAfter: time.Second})
	}
	one.fail(2)
	require.Equal(t, "b", one.plan())
	require.Less(t, time.Since(start), time.Second)
	require.NotZero(t, one.shared.Dropped(), "what does not fit is dropped")
	start = time.Now()
	require.NoError(t, one.shared.Close())
	require.Less(t, time.Since(start), 2*time.Second)
}

func TestForeignEntriesAreSkipped(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	for _, values := range [][]any{
		{"x", "y"},
		{"from", "x", "kind", "out", "target", "a", "ms", "not a number", "token", "0"},
		{"from", "x", "kind", "nonsense", "target", "a", "ms", "1", "token", "0"},
		{"from", "x", "kind", "out", "target", "nobody", "ms", "1000", "token", "0"},
	} {
		require.NoError(t, client.XAdd(context.Background(), &redis.XAddArgs{Stream: "kong:test", Values: values}).Err())
	}
	one.fail(3)
	two.await("b")
	// Nobody takes a target out for longer than this replica's own fail_timeout.
	require.NoError(t, client.XAdd(context.Background(), &redis.XAddArgs{
		Stream: "kong:test", Values: []any{"from", "x", "kind", "out", "target", "a", "ms", "86400000", "token", "0"},
	}).Err())
	time.Sleep(failTimeout + 100*time.Millisecond)
	two.await("a?b")
}

func TestTheServersAnswersAreNotLogged(t *testing.T) {
	server := redistest.StartWith(t, redistest.Options{Args: []string{"--requirepass", "secret-of-the-server"}})
	client, err := vectordb.NewRedisClient(vectordb.RedisOptions{Addr: server.Addr, Password: "wrong-secret"})
	require.NoError(t, err)
	log := new(text)
	s := shared.New(client, shared.Options{Key: "kong:test", Replica: "one", Log: slog.New(slog.NewTextHandler(log, nil))})
	s.Start(func(e router.Event) { panic(fmt.Sprint(e)) })
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "not shared") }, soon, time.Millisecond)
	require.NoError(t, s.Close())
	require.NotContains(t, log.String(), "secret")
}
