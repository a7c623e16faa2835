package vectordb_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"semlb/vectordb"
	"semlb/vectordb/redistest"
	"semlb/vectordb/storetest"
)

// optionsFor returns the options of a store of vectors like east and north.
func optionsFor(server *redistest.Server) vectordb.RedisOptions {
	return vectordb.RedisOptions{
		Addr:       server.Addr,
		Namespace:  "test",
		Model:      "compass",
		Dimensions: 2,
		Metric:     vectordb.Cosine,
	}
}

// openRedis opens a store, and closes it when the test ends.
func openRedis(t *testing.T, options vectordb.RedisOptions) *vectordb.Redis {
	t.Helper()
	s, err := vectordb.OpenRedis(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// newClient returns a client to look behind the store's back.
func newClient(t *testing.T, server *redistest.Server) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
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

// contract runs the contract with a namespace for each store.
func contract(t *testing.T, options vectordb.RedisOptions) {
	var stores atomic.Int64
	storetest.Run(t, func(t *testing.T, dimensions int, metric vectordb.Metric) vectordb.Store {
		mine := options
		mine.Namespace = fmt.Sprint("contract ", stores.Add(1))
		mine.Dimensions, mine.Metric = dimensions, metric
		return openRedis(t, mine)
	})
}

func TestRedisKeepsTheContract(t *testing.T) {
	contract(t, optionsFor(redistest.Start(t)))
}

func TestRedisKeepsTheContractInProcess(t *testing.T) {
	options := optionsFor(redistest.Start(t))
	options.InProcess = true
	contract(t, options)
}

func TestRedisKeepsTheContractWithoutSearch(t *testing.T) {
	contract(t, optionsFor(redistest.StartWith(t, redistest.Options{Plain: true})))
}

func TestSyncedRedisKeepsTheContract(t *testing.T) {
	server := redistest.Start(t)
	var stores atomic.Int64
	storetest.Run(t, func(t *testing.T, dimensions int, metric vectordb.Metric) vectordb.Store {
		options := optionsFor(server)
		options.Namespace = fmt.Sprint("contract ", stores.Add(1))
		options.Dimensions, options.Metric, options.InProcess = dimensions, metric, true
		s, err := vectordb.NewSynced(dimensions, metric, openRedis(t, options))
		require.NoError(t, err)
		return s
	})
}

func TestRedisSharesVectorsBetweenProcesses(t *testing.T) {
	server := redistest.Start(t)
	upsert(t, openRedis(t, optionsFor(server)), "a", east)
	other := openRedis(t, optionsFor(server))
	requireKept(t, other, map[string][]float32{"a": east})
	requireFound(t, other, east, vectordb.Match{ID: "a"})
}

func TestRedisKeepsApartWhatCannotBeCompared(t *testing.T) {
	server := redistest.Start(t)
	upsert(t, openRedis(t, optionsFor(server)), "a", east)
	for name, change := range map[string]func(*vectordb.RedisOptions){
		"namespace": func(o *vectordb.RedisOptions) { o.Namespace = "test:x" },
		"default":   func(o *vectordb.RedisOptions) { o.Namespace = "" },
		"model":     func(o *vectordb.RedisOptions) { o.Model = "compass 2" },
	} {
		t.Run(name, func(t *testing.T) {
			options := optionsFor(server)
			change(&options)
			s := openRedis(t, options)
			requireKept(t, s, map[string][]float32{})
			got, err := s.Get(t.Context(), "a")
			require.NoError(t, err)
			require.Empty(t, got)
			requireFound(t, s, east)
		})
	}
}

func TestRedisComparesSharedVectorsByEitherMetric(t *testing.T) {
	server := redistest.Start(t)
	upsert(t, openRedis(t, optionsFor(server)), "a", []float32{-1, 0})
	options := optionsFor(server)
	options.Metric = vectordb.Euclidean
	requireFound(t, openRedis(t, options), east, vectordb.Match{ID: "a", Distance: 1})
}

func TestRedisIndexesWhatIsThereBeforeItAnswers(t *testing.T) {
	server := redistest.Start(t)
	options := optionsFor(server)
	options.Dimensions, options.InProcess = 256, true
	records := randomRecords(2000, 256)
	require.NoError(t, openRedis(t, options).Upsert(t.Context(), records...))

	options.InProcess = false
	s := openRedis(t, options)
	matches, err := s.Search(t.Context(), records[0].Vector, len(records))
	require.NoError(t, err)
	require.Len(t, matches, len(records))
}

// The stores are connected before, so that many of them see at once that there is no
// index.
func TestRedisMakesOneIndexForManyStoresAtOnce(t *testing.T) {
	server := redistest.Start(t)
	stores := make([]*vectordb.Redis, 40)
	for i := range stores {
		s, err := vectordb.NewRedis(optionsFor(server))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		_, err = s.Get(t.Context(), "nobody")
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
	matches, err := openRedis(t, optionsFor(server)).Search(t.Context(), east, 100)
	require.NoError(t, err)
	require.Len(t, matches, len(stores))
}

func TestRedisOpensManyTimesAtOnce(t *testing.T) {
	server := redistest.Start(t)
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			s, err := vectordb.OpenRedis(t.Context(), optionsFor(server))
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

func TestRedisListensOnAUnixSocket(t *testing.T) {
	socket := t.TempDir() + "/redis.sock"
	options := optionsFor(redistest.StartWith(t, redistest.Options{Args: []string{"--unixsocket", socket}}))
	options.Addr = socket
	s := openRedis(t, options)
	upsert(t, s, "a", east)
	requireFound(t, s, east, vectordb.Match{ID: "a"})
}

func TestNewRedisRefusesOptionsByName(t *testing.T) {
	for want, change := range map[string]func(*vectordb.RedisOptions){
		"host and port: got none":                                func(o *vectordb.RedisOptions) { o.Addr = "" },
		"database: got 1, want 0: redis indexes no other":        func(o *vectordb.RedisOptions) { o.Database = 1 },
		"sentinel_nodes: not supported, name one server as host": func(o *vectordb.RedisOptions) { o.SentinelNodes = []string{"x"} },
		"cluster_nodes: not supported, name one server as host":  func(o *vectordb.RedisOptions) { o.ClusterNodes = []string{"x"} },
		"model: got none":                                 func(o *vectordb.RedisOptions) { o.Model = "" },
		"dimensions: got 0, want 1 or more":               func(o *vectordb.RedisOptions) { o.Dimensions = 0 },
		`metric: got "dot", want "cosine" or "euclidean"`: func(o *vectordb.RedisOptions) { o.Metric = "dot" },
		"timeouts: got one below 0":                       func(o *vectordb.RedisOptions) { o.ReadTimeout = -1 },
		"keepalive_pool_size: got -1, want 1 or more":     func(o *vectordb.RedisOptions) { o.PoolSize = -1 },
		"username: given without a password":              func(o *vectordb.RedisOptions) { o.Username = "x" },
	} {
		options := vectordb.RedisOptions{Addr: "127.0.0.1:1", Model: "m", Dimensions: 2, Metric: vectordb.Cosine}
		change(&options)
		_, err := vectordb.NewRedis(options)
		require.ErrorContains(t, err, "redis options: "+want)
	}
}

func TestRedisIsThereOnceItsServerIs(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	_, err := vectordb.OpenRedis(t.Context(), optionsFor(server))
	require.ErrorContains(t, err, "connection refused")

	s, err := vectordb.NewRedis(optionsFor(server))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.ErrorContains(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}), "connection refused")
	server.Restart()
	require.NoError(t, s.Ready(t.Context()))
	upsert(t, s, "a", east)
	requireFound(t, s, east, vectordb.Match{ID: "a"})
}

func TestRedisInProcessComparesWhatItGotLast(t *testing.T) {
	options := optionsFor(redistest.Start(t))
	options.InProcess = true
	s := openRedis(t, options)
	upsert(t, s, "a", east)
	upsert(t, openRedis(t, options), "a", north)
	requireKept(t, s, map[string][]float32{"a": north})
	requireFound(t, s, east, vectordb.Match{ID: "a", Distance: 1})
}

func TestReadyPutsBackWhatTheServerHasLost(t *testing.T) {
	server := redistest.Start(t)
	s := openRedis(t, optionsFor(server))
	upsert(t, s, "a", east)
	server.Restart()
	require.NoError(t, s.Ready(t.Context()))
	requireKept(t, openRedis(t, optionsFor(server)), map[string][]float32{"a": east})
}

func TestSyncPutsBackWhatSomebodyHasOverwritten(t *testing.T) {
	server := redistest.Start(t)
	s := openRedis(t, optionsFor(server))
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

func TestRedisInProcessKeepsVectorsInAnyDatabase(t *testing.T) {
	server := redistest.Start(t)
	options := optionsFor(server)
	options.InProcess, options.Database = true, 3
	upsert(t, openRedis(t, options), "a", east)
	requireKept(t, openRedis(t, options), map[string][]float32{"a": east})
	client := newClient(t, server)
	keyspace, err := client.Info(t.Context(), "keyspace").Result()
	require.NoError(t, err)
	require.Contains(t, keyspace, "db3:keys=1")
	require.NotContains(t, keyspace, "db0")
}
