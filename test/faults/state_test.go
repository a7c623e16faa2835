package faults_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
	"semlb/vectordb/redistest"
)

func TestFault42State(t *testing.T) {
	r := begin(t, "the lock of a state file removed and replaced while semlb runs; keys of another type in Redis; 40 reloads of 500 targets")
	lockIsGone(t)
	r.saw("lock gone: a second process ends, the first one still writes")
	keysOfAnotherType(t)
	r.saw("key of a vector: replaced, and logged; key of shared state: named, left as it is, served with local state")
	semlb, envoy := manyReloads(t)
	r.saw("heap from %.1f to %.1f MiB, Envoy's from %.1f to %.1f", semlb[0], semlb[1], envoy[0], envoy[1])
}

// lockIsGone has two processes that want the same state.
func lockIsGone(t *testing.T) {
	t.Helper()
	dir := harness.SocketDir(t)
	state, admin := filepath.Join(dir, "state.json"), harness.FreeAddress(t)
	serve := func(socket, admin string) (*process.Process, string) {
		status := harness.FreeAddress(t)
		return process.Start(t, harness.Build(t), "serve", "--state", state, "--admin", admin, "--status", status,
			"--listen", harness.FreeAddress(t), "--grpc-socket", filepath.Join(dir, socket), "--drain", "0s"), status
	}
	write := func(name string) {
		answer, err := harness.Fetch(t.Context(), http.MethodPost, "http://"+admin+"/consumers", `{"username": "`+name+`"}`)
		require.NoError(t, err)
		require.Equal(t, http.StatusCreated, answer.Status, answer.Body)
	}
	_, status := serve("1", admin)
	harness.AwaitReady(t, "http://"+status)
	write("alice")
	lock := filepath.Join(dir, ".state.json.lock")
	for i, tamper := range []func() error{
		func() error { return os.Remove(lock) },
		func() error { return os.Rename(filepath.Join(dir, "other"), lock) },
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "other"), nil, 0o600))
		require.NoError(t, tamper())
		second, _ := serve("2", harness.FreeAddress(t))
		require.Equal(t, 1, second.Await(waitLimit))
		require.Contains(t, second.Log(), "it is used by another process")
		write(fmt.Sprint("bob", i))
	}
}

// keysOfAnotherType has texts in the places of semlb's keys.
func keysOfAnotherType(t *testing.T) {
	t.Helper()
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	sharing := func(p *harness.Plugin) {
		inRedis(server, "store", nil)(p)
		p.Balancer = map[string]any{"shared_state": true, "max_fails": 1}
	}
	w := start(t, options{embedder: newEmbedder(t), plugin: sharing, flags: append(withBudget(), "--store-sync", "200ms"), store: true})
	w.survives(func() {
		for _, key := range keysLike(t, client, "kong:semlb:*:vector:*") {
			require.NoError(t, client.Set(t.Context(), key, "text", 0).Err())
		}
		w.awaitLog("replaced a key in redis that held something other than a hash")
		w.awaitMatched("a program with keys that were replaced")

		w.code.Do(harness.Reset())
		_ = w.post(chat(code)) // the event makes the stream
		require.Eventually(t, func() bool { return len(keysLike(t, client, "kong:semlb:*:targets:*")) == 1 }, waitLimit, waitStep)
		stream := keysLike(t, client, "kong:semlb:*:targets:*")[0]
		require.NoError(t, client.Set(t.Context(), stream, "text", 0).Err())
		w.awaitLog("the key "+stream+" holds something other than a stream: delete it", "using local state")
		require.Equal(t, "text", client.Get(t.Context(), stream).Val())
		w.RequireReady()
		w.reset()
		w.awaitGood()
		require.NoError(t, client.Del(t.Context(), stream).Err())
		w.awaitLog("shared target state available again", "doing=read")
	})
}

func keysLike(t *testing.T, client *redis.Client, pattern string) []string {
	t.Helper()
	keys, err := client.Keys(t.Context(), pattern).Result()
	require.NoError(t, err)
	return keys
}

const (
	reloadsOfMany = 40
	manyTargets   = 500
)

// many has many targets. Each version changes one, and sends it to the usual place.
func many(version int) func(*harness.Plugin) {
	return func(p *harness.Plugin) {
		served := p.Targets[2]
		p.Targets, p.Retries = nil, new(int)
		for i := range manyTargets {
			t := harness.Target{
				URL: fmt.Sprintf("http://127.0.0.%d:%d/v1", 1+i/250, 20000+i), Model: fmt.Sprint("m", i),
				Description: fmt.Sprint("subject ", i), Authorization: keyOf(fmt.Sprint(i)),
			}
			if i == version%manyTargets {
				t = served
				t.Options = map[string]any{"max_tokens": version + 1}
			}
			p.Targets = append(p.Targets, t)
		}
	}
}

// manyReloads returns memory before and after the reloads, in MiB.
func manyReloads(t *testing.T) (semlb, envoy [2]float64) {
	t.Helper()
	d := deploy(t, options{plugin: many(0), flags: []string{"--decision-budget", "1s", "--log-level", "warn"}})
	d.awaitGood()
	for range 10 { // the garbage of the start
		d.heap()
	}
	const looks = 20 // about four collections, whose results differ by up to a MiB at rest
	for range looks {
		semlb[0] += d.heap() / looks
	}
	envoy[0] = d.envoyHeap()
	for i := range reloadsOfMany {
		require.NoError(t, os.WriteFile(d.file, []byte(d.configuration(options{plugin: many(i + 1)})), 0o600))
		d.serve.Signal(syscall.SIGHUP)
		require.Eventually(t, func() bool { applied, _ := d.reloads(); return applied > i }, waitLimit, 5*waitStep)
	}
	d.awaitGood()
	for i, memory := range []func() float64{d.heap, d.envoyHeap} {
		seen := []*[2]float64{&semlb, &envoy}[i]
		require.Eventually(t, func() bool { seen[1] = memory(); return seen[1] < 1.2*seen[0] }, waitLimit, 10*waitStep,
			"MiB before and after: %v", lazily(func() string { return fmt.Sprint(*seen) }))
	}
	return semlb, envoy
}

// heap is half of the heap that semlb's garbage collector aims at, in MiB: what was alive
// when it ran last. The look at the metrics makes enough garbage for it to run again soon.
func (d *deployment) heap() float64 {
	d.t.Helper()
	return d.metric("go_memstats_next_gc_bytes") / 2 / (1 << 20)
}

// envoyHeap is what Envoy has allocated, in MiB.
func (d *deployment) envoyHeap() float64 {
	d.t.Helper()
	var memory struct {
		Allocated int `json:"allocated,string"`
	}
	require.NoError(d.t, json.Unmarshal([]byte(harness.Get(d.t, "http://"+d.admin+"/memory").Body), &memory))
	return float64(memory.Allocated) / (1 << 20)
}
