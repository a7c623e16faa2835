package redistest_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"semlb/vectordb/redistest"
)

func newClient(t *testing.T, s *redistest.Server) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: s.Addr})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func TestServerHasSearch(t *testing.T) {
	client := newClient(t, redistest.Start(t))
	require.NoError(t, client.FT_List(t.Context()).Err())
}

func TestPlainServerHasNoSearch(t *testing.T) {
	client := newClient(t, redistest.StartWith(t, redistest.Options{Plain: true}))
	require.ErrorContains(t, client.FT_List(t.Context()).Err(), "unknown command")
}

func TestServerListensOnItsPort(t *testing.T) {
	server := redistest.Start(t)
	server.Kill() // so that its port is free
	other := redistest.StartWith(t, redistest.Options{Port: server.Port})
	require.Equal(t, server.Addr, other.Addr)
	require.NoError(t, newClient(t, other).Ping(t.Context()).Err())
}

func TestRestartedServerIsEmptyAndHasTheSameAddress(t *testing.T) {
	server := redistest.Start(t)
	client := newClient(t, server)
	require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
	server.Restart()
	require.ErrorIs(t, client.Get(t.Context(), "key").Err(), redis.Nil)
}

func TestKilledServerRefusesConnectionsAndCanBeKilledAgain(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	server.Kill()
	require.Error(t, newClient(t, server).Ping(t.Context()).Err())
}
