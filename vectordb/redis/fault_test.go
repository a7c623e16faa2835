package redis_test

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"semlb/vectordb"
	"semlb/vectordb/redis"
	"semlb/vectordb/redistest"
	"semlb/vectordb/storetest"
	"semlb/wire"
)

// keyOf is the documented key of a vector in a store of optionsFor.
const keyOf = "kong:semlb:v1:test:d1068beeb96a6a79:2:vector:"

// indexOf is its index's name.
const indexOf = "kong:semlb:v1:test:d1068beeb96a6a79:2:index:cosine"

func TestStoreRefillsAServerThatHasRestarted(t *testing.T) {
	server := redistest.Start(t)
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", east)
	upsert(t, s, "b", north)
	server.Restart()
	requireFound(t, s, east, vectordb.Match{ID: "a"}, vectordb.Match{ID: "b", Distance: 1})
	storetest.RequireKept(t, openStore(t, optionsFor(server)), map[string][]float32{"a": east, "b": north})
}

func TestStoreRefillsRecordsOfOthers(t *testing.T) {
	server := redistest.Start(t)
	upsert(t, openStore(t, optionsFor(server)), "a", east)
	s := openStore(t, optionsFor(server))
	storetest.RequireKept(t, s, map[string][]float32{"a": east})
	server.Restart()
	requireFound(t, s, east, vectordb.Match{ID: "a"})
}

// Another process that reconnects first creates the index; then only the new connection
// shows that the records of this one are gone.
func TestStoreRefillsBesideAnotherProcess(t *testing.T) {
	server := redistest.Start(t)
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", east)
	server.Restart()
	upsert(t, openStore(t, optionsFor(server)), "b", north)
	requireFound(t, s, east, vectordb.Match{ID: "a"}, vectordb.Match{ID: "b", Distance: 1})
}

func TestStoreRefillsForConcurrentCallers(t *testing.T) {
	server := redistest.Start(t)
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", east)
	server.Restart()
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			matches, err := s.Search(t.Context(), east, 1)
			if err != nil || len(matches) != 1 {
				t.Errorf("got %v, %v", matches, err)
			}
		})
	}
	group.Wait()
}

func TestStoreRecreatesADroppedIndex(t *testing.T) {
	server := redistest.Start(t)
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", east)
	require.NoError(t, newClient(t, server).FTDropIndex(t.Context(), indexOf).Err())
	requireFound(t, s, east, vectordb.Match{ID: "a"})
}

// late is when a call has not kept a deadline, on whatever machine; without one it would
// last for as long as the server is frozen.
const late = 30 * time.Second

func TestStoreRecoversSoonAfterAKill(t *testing.T) {
	server := redistest.Start(t)
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", east)
	server.Kill()
	for range 50 { // enough for the client's pool to stop dialling
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		start := time.Now()
		_, err := s.Search(ctx, east, 1)
		cancel()
		require.Error(t, err)
		require.Less(t, time.Since(start), late)
	}
	server.Restart()
	start := time.Now()
	require.Eventually(t, func() bool {
		matches, err := s.Search(t.Context(), east, 1)
		return err == nil && len(matches) == 1
	}, time.Minute, 5*time.Millisecond)
	t.Logf("recovered after %v", time.Since(start))
}

func TestStoreKeepsDeadlinesWhenTheServerIsFrozen(t *testing.T) {
	server := redistest.Start(t)
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", east)
	server.Pause()
	defer server.Resume()
	calls := map[string]func(context.Context) error{
		"search": func(ctx context.Context) error { _, err := s.Search(ctx, east, 1); return err },
		"get":    func(ctx context.Context) error { _, err := s.Get(ctx, "a"); return err },
		"upsert": func(ctx context.Context) error {
			return s.Upsert(ctx, vectordb.Record{ID: "b", Vector: north})
		},
	}
	for name, call := range calls {
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			start := time.Now()
			err := call(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
			require.Less(t, time.Since(start), late, name)
		}
	}
	server.Resume()
	requireFoundSoon(t, s)
}

func TestStoreBoundsCallsWithoutADeadline(t *testing.T) {
	server := redistest.Start(t)
	options := optionsFor(server)
	options.Connection.ConnectTimeout, options.Connection.SendTimeout, options.Connection.ReadTimeout = 2*time.Second, 2*time.Second, 2*time.Second
	s := openStore(t, options)
	upsert(t, s, "a", east)
	server.Pause()
	defer server.Resume()
	start := time.Now()
	_, err := s.Search(t.Context(), east, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), late)
	server.Resume()
	requireFoundSoon(t, s)
}

func requireFoundSoon(t *testing.T, s vectordb.Store) {
	t.Helper()
	require.Eventually(t, func() bool {
		matches, err := s.Search(t.Context(), east, 1)
		return err == nil && len(matches) == 1 && matches[0].ID == "a"
	}, time.Minute, 10*time.Millisecond)
}

func TestStoreRefusesAForeignIndexOfItsName(t *testing.T) {
	vector := func(dim int, metric string) *goredis.FieldSchema {
		return &goredis.FieldSchema{
			FieldName: "vector", FieldType: goredis.SearchFieldTypeVector,
			VectorArgs: &goredis.FTVectorArgs{FlatOptions: &goredis.FTFlatOptions{
				Type: "FLOAT32", Dim: dim, DistanceMetric: metric,
			}},
		}
	}
	for name, tt := range map[string]struct {
		prefix string
		field  *goredis.FieldSchema
		want   string
	}{
		"dimensions": {keyOf, vector(3, "COSINE"), "dimensions: got 3, want 2"},
		"metric":     {keyOf, vector(2, "IP"), "IP"},
		"prefix":     {"kong:else:", vector(2, "COSINE"), "prefixes"},
		"field":      {keyOf, &goredis.FieldSchema{FieldName: "text", FieldType: goredis.SearchFieldTypeText}, `field "vector" is not in it`},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			foreign := &goredis.FTCreateOptions{OnHash: true, Prefix: []any{tt.prefix}}
			require.NoError(t, newClient(t, server).FTCreate(t.Context(), indexOf, foreign, tt.field).Err())
			_, err := open(t.Context(), optionsFor(server))
			require.ErrorIs(t, err, redis.ErrIndex)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestStoreTreatsCorruptEntriesAsAbsent(t *testing.T) {
	floats := func(vector ...float32) []byte { return blob(vector) }
	nan := float32(math.NaN())
	for name, content := range map[string][]byte{
		"short": {1, 2, 3},
		"empty": {},
		"long":  floats(1, 0, 0),
		"zero":  floats(0, 0),
		"NaN":   floats(nan, 0),
		"Inf":   floats(float32(math.Inf(1)), 0),
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			client := newClient(t, server)
			// Corrupt entries written before the valid one would hide it.
			for _, id := range []string{"x", "y", "a"} {
				require.NoError(t, client.HSet(t.Context(), keyOf+id, "vector", content).Err())
			}
			s := openStore(t, optionsFor(server))
			got, err := s.Get(t.Context(), "a", "x")
			require.NoError(t, err)
			require.Empty(t, got)
			upsert(t, s, "a", north)
			matches, err := s.Search(t.Context(), east, 1)
			require.NoError(t, err)
			require.Equal(t, []vectordb.Match{{ID: "a", Distance: 1}}, matches)
		})
	}
}

func TestStoreFindsValidEntriesAmongManyCorrupt(t *testing.T) {
	server := redistest.Start(t)
	client := newClient(t, server)
	for i := range 200 {
		require.NoError(t, client.HSet(t.Context(), keyOf+string(rune('A'+i)), "vector", blob([]float32{0, 0})).Err())
	}
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", north)
	requireFound(t, s, east, vectordb.Match{ID: "a", Distance: 1})
}

func TestStoreTreatsOtherTypesOfKeyAsAbsent(t *testing.T) {
	server := redistest.Start(t)
	require.NoError(t, newClient(t, server).Set(t.Context(), keyOf+"a", "text", 0).Err())
	got, err := openStore(t, optionsFor(server)).Get(t.Context(), "a")
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestStoreReplacesKeysOfAnotherType(t *testing.T) {
	for name, inProcess := range map[string]bool{"with search": false, "in process": true} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			client := newClient(t, server)
			spoil := func() {
				require.NoError(t, client.Del(t.Context(), keyOf+"a", keyOf+"b").Err())
				require.NoError(t, client.Set(t.Context(), keyOf+"a", "text", 0).Err())
				require.NoError(t, client.RPush(t.Context(), keyOf+"b", "text").Err())
			}
			options, log := optionsFor(server), new(lockedBuffer)
			options.InProcess, options.Logger = inProcess, slog.New(slog.NewTextHandler(log, nil))
			s := openStore(t, options)
			spoil()
			require.NoError(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}, vectordb.Record{ID: "b", Vector: north}, vectordb.Record{ID: "c", Vector: east}))
			all := map[string][]float32{"a": east, "b": north, "c": east}
			storetest.RequireKept(t, openStore(t, optionsFor(server)), all)
			require.Contains(t, log.String(), "replaced a key in redis that held something other than a hash\" key="+keyOf+"b")
			spoil()
			n, err := s.Sync(t.Context())
			require.NoError(t, err)
			require.Equal(t, 2, n)
			storetest.RequireKept(t, openStore(t, optionsFor(server)), all)
			requireFound(t, s, north, vectordb.Match{ID: "b"}, vectordb.Match{ID: "a", Distance: 1}, vectordb.Match{ID: "c", Distance: 1})
		})
	}
}

func TestStoreNamesAKeyOfAnotherTypeThatItMayNotReplace(t *testing.T) {
	server := redistest.Start(t)
	client := newClient(t, server)
	require.NoError(t, client.Do(t.Context(), "ACL", "SETUSER", "small", "on", ">"+planted, "~kong:*", "-@all", "+hget", "+hset").Err())
	require.NoError(t, client.Set(t.Context(), keyOf+"a", "text", 0).Err())
	options := optionsFor(server)
	options.Connection.Username, options.Connection.Password, options.InProcess = "small", wire.NewSecret(planted), true
	err := openStore(t, options).Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east})
	require.ErrorIs(t, err, redis.ErrType)
	require.ErrorContains(t, err, keyOf+"a")
	require.ErrorContains(t, err, "+del")
	require.Equal(t, "text", client.Get(t.Context(), keyOf+"a").Val())
}
