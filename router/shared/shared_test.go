package shared_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/router"
	"semlb/router/shared"
	"semlb/vectordb/redistest"
)

func TestMain(m *testing.M) {
	logging.Disable()
	goleak.VerifyTestMain(m, redistest.IgnoreProbe())
}

const (
	failTimeout = 5 * time.Second
	soon        = time.Minute
)

// replica is one of several that plan for the same targets, a before b. Its targets'
// clock moves only by advance.
type replica struct {
	*router.Router
	t        *testing.T
	circuits *router.Circuits
	shared   *shared.Redis
	log      *text
	// applied counts the events of others that it received, dropped its own that were not
	// shared.
	applied, dropped atomic.Int64
	offset           atomic.Int64
}

func (r *replica) now() time.Time          { return time.Unix(0, 0).Add(time.Duration(r.offset.Load())) }
func (r *replica) advance(d time.Duration) { r.offset.Add(int64(d)) }

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
	r := &replica{t: t, log: new(text)}
	r.circuits = router.NewCircuits(r.now, nil)
	r.join(addr, name, 3)
	return r
}

// join gives a replica a router, and makes it one of those that share.
func (r *replica) join(addr, name string, maxFails int) {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{
		Addr: addr, PoolSize: 3, MaxRetries: 1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: 3 * time.Second, ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second,
	})
	s := shared.New(client, shared.Options{
		Key: "kong:test", Replica: name, Log: slog.New(slog.NewTextHandler(r.log, nil)),
		Dropped: func() { r.dropped.Add(1) },
	})
	r.shared = s
	var err error
	r.Router, err = router.New(router.Options{
		Algorithm: router.Priority, MaxAttempts: 2,
		Targets:  []router.Target{{ID: "a", Weight: 2}, {ID: "b", Weight: 1}},
		Circuits: r.circuits,
		Breaker:  router.Breaker{MaxFails: maxFails, FailTimeout: failTimeout, ProbeTimeout: time.Minute, MaxRetryAfter: time.Minute},
		Share:    s.Publish,
	})
	require.NoError(r.t, err)
	apply, following := r.Apply, make(chan struct{})
	s.Start()
	s.Follow(func(e router.Event) {
		if e.Target == "first of "+name {
			close(following)
		}
		if !strings.HasPrefix(e.Target, "first of ") {
			apply(e)
			r.applied.Add(1)
		}
	})
	r.t.Cleanup(func() { require.NoError(r.t, s.Close()) })
	// What comes after an entry that it has read is passed to it one by one; of what
	// came before it reads the sum.
	require.NoError(r.t, client.XAdd(r.t.Context(), &redis.XAddArgs{
		Stream: "kong:test", Values: []any{"from", "the test", "kind", "hold", "target", "first of " + name, "ms", "0", "token", "0"},
	}).Err())
	select {
	case <-following:
	case <-time.After(soon):
		require.Fail(r.t, "it does not follow", r.log)
	}
}

func (r *replica) fail(n int) {
	for range n {
		r.Report(router.Outcome{Target: "a", Result: router.Failed})
	}
}

// plan is a plan as text; a target that is probed has a question mark.
func (r *replica) plan() string {
	p := r.Route(r.t.Context(), router.Request{})
	out := strings.Join(p.Targets, "")
	for _, probe := range p.Probes {
		out = strings.Replace(out, probe.Target, probe.Target+"?", 1)
	}
	return out
}

// arrived waits until n events in all have come from others.
func (r *replica) arrived(n int64) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.applied.Load() >= n }, soon, time.Millisecond, "%d events, log %s", n, r.log)
	require.Equal(r.t, n, r.applied.Load())
}

// awaitOut waits until a is out. It takes no probe.
func (r *replica) awaitOut() {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return slices.Contains(r.circuits.Open(), "a") }, soon, time.Millisecond, "log %s", r.log)
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
	two.arrived(3)
	t.Logf("the other replica knew %s later", time.Since(out))
	require.Equal(t, "b", two.plan())

	one.advance(failTimeout)
	two.advance(failTimeout)
	p := one.Route(t.Context(), router.Request{})
	require.Len(t, p.Probes, 1)
	two.arrived(4)
	require.Equal(t, "b", two.plan(), "one replica probes for all")

	// The access log may reach another replica than the plan came from.
	two.Report(router.Outcome{Target: "a", Result: router.Answered, Status: 200, Probe: p.Probes[0].Token})
	require.Equal(t, "ab", two.plan())
	one.arrived(1)
	require.Equal(t, "ab", one.plan())
}

func TestFailuresOfAllReplicasCount(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	one.fail(1)
	two.fail(1)
	one.arrived(1)
	two.arrived(1)
	require.Equal(t, "ab", one.plan())
	one.fail(1)
	require.Equal(t, "b", one.plan())
	two.arrived(2)
	require.Equal(t, "b", two.plan())
}

func TestRetryAfterIsShared(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	one.Report(router.Outcome{Target: "a", Result: router.Answered, Status: 429, RetryAfter: 30 * time.Second})
	two.arrived(1)
	require.Equal(t, "b", two.plan())
	two.advance(30 * time.Second)
	require.Equal(t, "ab", two.plan())
}

func TestAReplicaThatStartsKnowsWhatTheOthersLearned(t *testing.T) {
	server := redistest.Start(t)
	one := newReplica(t, server.Addr, "one")
	one.Report(router.Outcome{Target: "b", Result: router.Failed})
	one.fail(3)
	two := newReplica(t, server.Addr, "two")
	two.awaitOut()
	require.Equal(t, "b", two.plan())
	two.advance(failTimeout)
	require.Equal(t, "a?b", two.plan())
	one.arrived(1)
	three := newReplica(t, server.Addr, "three")
	three.arrived(3)
	three.advance(failTimeout)
	require.Equal(t, "b", three.plan(), "it knows that a is being probed")
}

func TestWithoutRedisEachReplicaUsesItsOwnState(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	one.fail(1)
	server.Kill()
	one.awaitLog("doing=read error")
	two.awaitLog("doing=read error")
	one.fail(2)
	require.Equal(t, "b", one.plan())
	require.Equal(t, "ab", two.plan())

	server.Restart()
	two.awaitLog("shared target state available again")
	one.awaitLog("shared target state available again")
	one.advance(failTimeout)
	p := one.Route(t.Context(), router.Request{})
	require.Len(t, p.Probes, 1)
	one.Report(router.Outcome{Target: "a", Result: router.Failed, Probe: p.Probes[0].Token})
	two.awaitOut()
	require.Equal(t, "b", two.plan())
	require.Equal(t, 1, strings.Count(one.log.String(), "doing=read error"), "logged once: %s", one.log)
}

// A reload: the router of the configuration that was replaced is there for a while,
// with the same targets and other limits.
func TestAReplacedRouterDoesNotFollow(t *testing.T) {
	server := redistest.Start(t)
	one, two := newReplica(t, server.Addr, "one"), newReplica(t, server.Addr, "two")
	replaced := two.shared
	replaced.Unfollow()
	two.join(server.Addr, "two again", 1)
	one.fail(1)
	two.arrived(1)
	require.Equal(t, "b", two.plan(), "the new limit is in force")
	require.NoError(t, replaced.Close())
	require.EqualValues(t, 1, two.applied.Load(), "the event was passed on once")
}

func TestAFrozenRedisDelaysNoPlan(t *testing.T) {
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
	require.Less(t, time.Since(start), soon)
	require.NotZero(t, one.dropped.Load(), "what does not fit is dropped")
	start = time.Now()
	require.NoError(t, one.shared.Close())
	require.Less(t, time.Since(start), soon)
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
	two.arrived(5) // the last two of those are applied, and change nothing
	require.Equal(t, "b", two.plan())
	// No other replica opens a circuit breaker for longer than this replica's fail_timeout.
	require.NoError(t, client.XAdd(context.Background(), &redis.XAddArgs{
		Stream: "kong:test", Values: []any{"from", "x", "kind", "out", "target", "a", "ms", "86400000", "token", "0"},
	}).Err())
	two.arrived(6)
	two.advance(failTimeout)
	require.Equal(t, "a?b", two.plan())
}

func TestTheServersAnswersAreNotLogged(t *testing.T) {
	server := redistest.StartWith(t, redistest.Options{Args: []string{"--requirepass", "secret-of-the-server"}})
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Password: "wrong-secret"})
	log := new(text)
	s := shared.New(client, shared.Options{Key: "kong:test", Replica: "one", Log: slog.New(slog.NewTextHandler(log, nil))})
	s.Start()
	s.Follow(func(e router.Event) { panic(fmt.Sprint(e)) })
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "shared target state unavailable") }, soon, time.Millisecond)
	require.NoError(t, s.Close())
	require.NotContains(t, log.String(), "secret")
}

// A key of another type is named, is left as it is, and does not expire.
func TestAKeyOfAnotherTypeIsNamed(t *testing.T) {
	server := redistest.Start(t)
	r := newReplica(t, server.Addr, "one")
	admin := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	require.NoError(t, admin.Set(t.Context(), "kong:test", "text", 0).Err())
	r.fail(1)
	r.awaitLog("doing=write error=\"the key kong:test holds something other than a stream: delete it\"")
	r.awaitLog("doing=read error=\"the key kong:test holds something other than a stream: delete it\"")
	require.Equal(t, time.Duration(-1), admin.TTL(t.Context(), "kong:test").Val())
	require.NoError(t, admin.Del(t.Context(), "kong:test").Err())
	r.awaitLog("available again\" doing=read")
	r.fail(1)
	r.awaitLog("available again\" doing=write")
}
