package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"semlb/vectordb"
	"semlb/vectordb/redis"
	"semlb/vectordb/redistest"
	"semlb/vectordb/storetest"
)

// patient is far above what a server on a loaded machine is late.
const patient = 10 * time.Second

// optionsFor returns the options of a store of vectors like east and north.
func optionsFor(server *redistest.Server) redis.Options {
	return redis.Options{
		Connection: redis.Connection{
			Addr:           server.Addr,
			ConnectTimeout: patient, SendTimeout: patient, ReadTimeout: patient,
		},
		Collection: vectordb.Collection{
			Namespace: "test",
			Model:     "compass",
			Space:     vectordb.Space{Dimensions: 2, Metric: vectordb.Cosine},
		},
	}
}

// open returns a store that is ready: the server answers and has the index.
func open(ctx context.Context, options redis.Options) (*redis.Store, error) {
	s, err := redis.New(options)
	if err != nil {
		return nil, err
	}
	if _, err := s.Sync(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openStore opens a store, and closes it when the test ends.
func openStore(t *testing.T, options redis.Options) *redis.Store {
	t.Helper()
	s, err := open(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// requireSynced has the store check its server.
func requireSynced(t *testing.T, s *redis.Store) {
	t.Helper()
	_, err := s.Sync(t.Context())
	require.NoError(t, err)
}

// newClient returns a client that bypasses the store.
func newClient(t *testing.T, server *redistest.Server) *goredis.Client {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func requireFound(t *testing.T, s vectordb.Store, query []float32, want ...vectordb.Match) {
	t.Helper()
	got, err := s.Search(t.Context(), query, 10)
	require.NoError(t, err)
	if len(want) == 0 {
		require.Empty(t, got)
		return
	}
	require.Equal(t, want, got)
}

func upsert(t *testing.T, s vectordb.Store, id string, vector []float32) {
	t.Helper()
	require.NoError(t, s.Upsert(t.Context(), vectordb.Record{ID: id, Vector: vector}))
}

// contract runs the contract; each store has a namespace of its own.
func contract(t *testing.T, options redis.Options) {
	var stores atomic.Int64
	storetest.Run(t, func(t *testing.T, dimensions int, metric vectordb.Metric) vectordb.Store {
		mine := options
		mine.Collection.Namespace = fmt.Sprint("contract ", stores.Add(1))
		mine.Collection.Dimensions, mine.Collection.Metric = dimensions, metric
		return openStore(t, mine)
	})
}

func TestStoreKeepsTheContract(t *testing.T) {
	contract(t, optionsFor(redistest.Start(t)))
}

func TestStoreKeepsTheContractInProcess(t *testing.T) {
	options := optionsFor(redistest.Start(t))
	options.InProcess = true
	contract(t, options)
}

func TestStoreKeepsTheContractWithoutSearch(t *testing.T) {
	contract(t, optionsFor(redistest.StartWith(t, redistest.Options{Plain: true})))
}

func TestSyncedRedisKeepsTheContract(t *testing.T) {
	server := redistest.Start(t)
	var stores atomic.Int64
	storetest.Run(t, func(t *testing.T, dimensions int, metric vectordb.Metric) vectordb.Store {
		options := optionsFor(server)
		options.Collection.Namespace = fmt.Sprint("contract ", stores.Add(1))
		options.Collection.Dimensions, options.Collection.Metric, options.InProcess = dimensions, metric, true
		s, err := vectordb.NewSynced(dimensions, metric, openStore(t, options))
		require.NoError(t, err)
		return s
	})
}

func TestStoreSharesVectorsBetweenProcesses(t *testing.T) {
	server := redistest.Start(t)
	upsert(t, openStore(t, optionsFor(server)), "a", east)
	other := openStore(t, optionsFor(server))
	storetest.RequireKept(t, other, map[string][]float32{"a": east})
	requireFound(t, other, east, vectordb.Match{ID: "a"})
}

func TestStoreKeepsCollectionsApart(t *testing.T) {
	server := redistest.Start(t)
	upsert(t, openStore(t, optionsFor(server)), "a", east)
	for name, change := range map[string]func(*redis.Options){
		"namespace": func(o *redis.Options) { o.Collection.Namespace = "test:x" },
		"default":   func(o *redis.Options) { o.Collection.Namespace = "" },
		"model":     func(o *redis.Options) { o.Collection.Model = "compass 2" },
	} {
		t.Run(name, func(t *testing.T) {
			options := optionsFor(server)
			change(&options)
			s := openStore(t, options)
			storetest.RequireKept(t, s, map[string][]float32{})
			got, err := s.Get(t.Context(), "a")
			require.NoError(t, err)
			require.Empty(t, got)
			requireFound(t, s, east)
		})
	}
}

func TestStoreComparesSharedVectorsByEitherMetric(t *testing.T) {
	server := redistest.Start(t)
	upsert(t, openStore(t, optionsFor(server)), "a", []float32{-1, 0})
	options := optionsFor(server)
	options.Collection.Metric = vectordb.Euclidean
	requireFound(t, openStore(t, options), east, vectordb.Match{ID: "a", Distance: 1})
}

func TestStoreSearchesOnceAllRecordsAreIndexed(t *testing.T) {
	server := redistest.Start(t)
	options := optionsFor(server)
	options.Collection.Dimensions, options.InProcess = 256, true
	records := storetest.RandomRecords(2000, 256)
	require.NoError(t, openStore(t, options).Upsert(t.Context(), records...))

	options.InProcess = false
	s := openStore(t, options)
	matches, err := s.Search(t.Context(), records[0].Vector, len(records))
	require.NoError(t, err)
	require.Len(t, matches, len(records))
}

// The stores connect before, so that many of them find at once that the index is
// missing.
func TestStoresCreateOneIndexConcurrently(t *testing.T) {
	server := redistest.Start(t)
	stores := make([]*redis.Store, 40)
	for i := range stores {
		s, err := redis.New(optionsFor(server))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		_, err = s.Get(t.Context(), "absent")
		require.NoError(t, err)
		stores[i] = s
	}
	start := make(chan struct{})
	errs := make([]error, len(stores))
	var group sync.WaitGroup
	for i, s := range stores {
		group.Go(func() {
			<-start
			errs[i] = s.Upsert(t.Context(), vectordb.Record{ID: fmt.Sprint(i), Vector: east})
		})
	}
	close(start)
	group.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	matches, err := openStore(t, optionsFor(server)).Search(t.Context(), east, 100)
	require.NoError(t, err)
	require.Len(t, matches, len(stores))
}

func TestStoresOpenConcurrently(t *testing.T) {
	server := redistest.Start(t)
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			s, err := open(t.Context(), optionsFor(server))
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestNewNamesTheOptionThatIsWrong(t *testing.T) {
	for want, change := range map[string]func(*redis.Options){
		"host and port: got none":                         func(o *redis.Options) { o.Connection.Addr = "" },
		"database: got 1, want 0: redis indexes no other": func(o *redis.Options) { o.Connection.Database = 1 },
		"model: got none":                                 func(o *redis.Options) { o.Collection.Model = "" },
		"dimensions: got 0, want 1 or more":               func(o *redis.Options) { o.Collection.Dimensions = 0 },
		`metric: got "dot", want "cosine" or "euclidean"`: func(o *redis.Options) { o.Collection.Metric = "dot" },
		"timeouts: got one below 0":                       func(o *redis.Options) { o.Connection.ReadTimeout = -1 },
		"keepalive_pool_size: got -1, want 1 or more":     func(o *redis.Options) { o.Connection.PoolSize = -1 },
		"username: given without a password":              func(o *redis.Options) { o.Connection.Username = "x" },
	} {
		options := redis.Options{
			Connection: redis.Connection{Addr: "127.0.0.1:1"},
			Collection: vectordb.Collection{Model: "m", Space: vectordb.Space{Dimensions: 2, Metric: vectordb.Cosine}},
		}
		change(&options)
		_, err := redis.New(options)
		require.ErrorContains(t, err, "redis options: "+want)
	}
}

func TestStoreWorksOnceItsServerIsUp(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	_, err := open(t.Context(), optionsFor(server))
	require.ErrorContains(t, err, "connection refused")

	s, err := redis.New(optionsFor(server))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.ErrorContains(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}), "connection refused")
	server.Restart()
	requireSynced(t, s)
	upsert(t, s, "a", east)
	requireFound(t, s, east, vectordb.Match{ID: "a"})
}

func TestStoreInProcessComparesTheVectorsItReadLast(t *testing.T) {
	options := optionsFor(redistest.Start(t))
	options.InProcess = true
	s := openStore(t, options)
	upsert(t, s, "a", east)
	upsert(t, openStore(t, options), "a", north)
	storetest.RequireKept(t, s, map[string][]float32{"a": north})
	requireFound(t, s, east, vectordb.Match{ID: "a", Distance: 1})
}

func TestSyncPutsBackWhatTheServerHasLost(t *testing.T) {
	server := redistest.Start(t)
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", east)
	server.Restart()
	requireSynced(t, s)
	storetest.RequireKept(t, openStore(t, optionsFor(server)), map[string][]float32{"a": east})
}

func TestSyncPutsBackOverwrittenRecords(t *testing.T) {
	server := redistest.Start(t)
	s := openStore(t, optionsFor(server))
	upsert(t, s, "a", east)
	upsert(t, s, "b", north)
	client := newClient(t, server)
	keys, err := client.Keys(t.Context(), "*a").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	fields, err := client.HKeys(t.Context(), keys[0]).Result()
	require.NoError(t, err)
	require.NoError(t, client.HSet(t.Context(), keys[0], fields[0], "x").Err())
	n, err := s.Sync(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	requireFound(t, s, east, vectordb.Match{ID: "a"}, vectordb.Match{ID: "b", Distance: 1})
	n, err = s.Sync(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestStoreInProcessKeepsVectorsInAnyDatabase(t *testing.T) {
	server := redistest.Start(t)
	options := optionsFor(server)
	options.InProcess, options.Connection.Database = true, 3
	upsert(t, openStore(t, options), "a", east)
	storetest.RequireKept(t, openStore(t, options), map[string][]float32{"a": east})
	client := newClient(t, server)
	keyspace, err := client.Info(t.Context(), "keyspace").Result()
	require.NoError(t, err)
	require.Contains(t, keyspace, "db3:keys=1")
	require.NotContains(t, keyspace, "db0")
}
