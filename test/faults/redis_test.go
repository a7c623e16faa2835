package faults_test

import (
	"net/http"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/vectordb/redistest"
)

// inRedis keeps the vectors in a Redis, with more fields of the plugin's redis block.
func inRedis(s *redistest.Server, search string, more map[string]any) func(*harness.Plugin) {
	return func(p *harness.Plugin) {
		block := map[string]any{"host": s.Host, "port": s.Port, "connect_timeout": 2000, "read_timeout": 2000, "send_timeout": 2000}
		for name, value := range more {
			block[name] = value
		}
		p.VectorDB["redis"] = block
		if search != "" {
			p.VectorDB["search"] = search
		}
	}
}

// startInRedis starts a world with its own embedder whose vectors are in Redis.
func startInRedis(t *testing.T, plugin func(*harness.Plugin)) *world {
	t.Helper()
	return start(t, options{embedder: newEmbedder(t), plugin: plugin, flags: withBudget(), store: true})
}

func (w *world) storeErrors() int { return int(w.metric("semlb_store_errors_total")) }

func TestFault11Redis(t *testing.T) {
	r := begin(t, "Redis killed, frozen, down at start, wrong password, every entry poisoned or of another width, index of another layout, Redis restarted empty; search in memory and in the store")
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { require.NoError(t, client.Close()) })

	startInRedis(t, inRedis(server, "", nil))
	for name, poison := range map[string]string{"nonsense": "x", "another width": string(make([]byte, 4*(width-1))), "NaN": "\xff\xff\xff\xff" + string(make([]byte, 4*(width-1)))} {
		require.Positive(t, poisonAll(t, client, poison), name)
		startInRedis(t, inRedis(server, "", nil)).survives(func() {})
	}
	r.saw("poisoned entries are embedded again")

	w := start(t, options{
		embedder: newEmbedder(t), plugin: inRedis(server, "", nil), store: true, flags: append(withBudget(), "--store-sync", "200ms"),
	})
	w.survives(func() {
		server.Pause()
		w.requireServed("while Redis is frozen")
		w.awaitStoreErrors()
		server.Kill()
		w.requireServed("without Redis")
		w.awaitStoreErrors()
		server.Restart()
		w.awaitLog("the vector store has all vectors", "written=2")
	})
	require.Equal(t, 1, w.logs("level=WARN", "the vector store cannot be reached"), "it is logged once")
	require.Zero(t, w.decided("degraded"))
	r.saw("killed and frozen: served from memory, ready, semlb_store_errors_total, WARN line; back and empty: filled again")

	locked := redistest.StartWith(t, redistest.Options{Args: []string{"--requirepass", "the-password"}})
	server.Kill()
	for name, plugin := range map[string]func(*harness.Plugin){
		"down": inRedis(server, "", nil), "no password": inRedis(locked, "", nil), "wrong password": inRedis(locked, "", map[string]any{"password": "planted-password"}),
	} {
		requireServedWithout(t, name, plugin)
	}
	server.Restart()
	server.Pause()
	requireServedWithout(t, "frozen", inRedis(server, "", nil))
	server.Resume()
	r.saw("down or frozen at start, AUTH failure: ready, served from memory, semlb_store_errors_total, WARN line")

	w = startInRedis(t, inRedis(server, "store", nil))
	w.awaitMatched("a program") // semlb is ready before it has made the index, if that takes long
	w.survives(func() {
		poisonAll(t, client, "x")
		w.requireDegraded("a program with poisoned entries")
		w.RequireReady()
		server.Kill()
		w.requireDegraded("a program without the store")
		w.RequireReady()
		server.Restart()
		w.awaitMatched("a program with the store again")
	})
	r.saw("search in the store: default route while Redis is down, ready, recovers by itself")

	w.survives(func() {
		index := spoilIndex(t, client)
		w.requireDegraded("a program with a stale index")
		w.RequireReady()
		require.NoError(t, client.FTDropIndex(t.Context(), index).Err())
		w.awaitMatched("a program with an index of its own again")
	})
	r.saw("index of another layout: default route, ready; dropped, it is created again")
}

// awaitStoreErrors waits until a failure of the store has been counted.
func (w *world) awaitStoreErrors() {
	w.t.Helper()
	before := w.storeErrors()
	require.Eventually(w.t, func() bool { return w.storeErrors() > before }, waitLimit, waitStep)
}

// requireServed checks that requests are served and readiness stays.
func (w *world) requireServed(when string) {
	w.t.Helper()
	w.RequireReady()
	for prompt, target := range map[string]*harness.Stub{"a program " + when: w.code, "to cook " + when: w.cook1} {
		w.reset()
		w.requireGrowth(1, w.decisions("matched"), func() {
			answer := w.post(chat(prompt))
			require.Equal(w.t, http.StatusOK, answer.Status, "%s: %s", when, answer.Body)
			require.Equal(w.t, "openai/"+target.Name, answer.Header.Get("X-Kong-Llm-Model"), when)
		})
		w.requireSeen(prompt, target)
	}
}

// requireServedWithout starts a world whose store fails from the start: it serves from
// memory, and a metric and the log report the failure.
func requireServedWithout(t *testing.T, name string, plugin func(*harness.Plugin)) {
	t.Helper()
	w := startInRedis(t, plugin)
	w.survives(func() { w.requireServed(name) })
	require.Positive(t, w.storeErrors(), name)
	require.Positive(t, w.logs("the vector store cannot be reached"), name)
	require.NotContains(t, w.log(), "planted-password")
}

// spoilIndex puts an index of another layout in the place of the one there is, whose
// name it returns.
func spoilIndex(t *testing.T, client *redis.Client) string {
	t.Helper()
	names, err := client.FT_List(t.Context()).Result()
	require.NoError(t, err)
	require.Len(t, names, 1)
	require.NoError(t, client.FTDropIndex(t.Context(), names[0]).Err())
	other := &redis.FieldSchema{FieldName: "other", FieldType: redis.SearchFieldTypeText}
	require.NoError(t, client.FTCreate(t.Context(), names[0], &redis.FTCreateOptions{OnHash: true, Prefix: []any{"other:"}}, other).Err())
	return names[0]
}

// poisonAll overwrites every field of every hash.
func poisonAll(t *testing.T, client *redis.Client, value string) int {
	t.Helper()
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	n := 0
	for _, key := range keys {
		fields, err := client.HKeys(t.Context(), key).Result()
		if err != nil {
			continue // no hash
		}
		for _, field := range fields {
			require.NoError(t, client.HSet(t.Context(), key, field, value).Err())
			n++
		}
	}
	return n
}
