package redis_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
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

// planted is a password that must not occur in errors and logs.
const planted = "pass-7f3a-word"

func TestStoreNeedsNoMoreRightsThanDocumented(t *testing.T) {
	server := redistest.Start(t)
	rights := []any{
		"ACL", "SETUSER", "small", "on", ">" + planted, "~kong:*", "-@all",
		"+hget", "+hset", "+ft._list", "+ft.create", "+ft.info", "+ft.search",
	}
	admin := newClient(t, server)
	require.NoError(t, admin.Do(t.Context(), rights...).Err())
	options := optionsFor(server)
	options.Connection.Username, options.Connection.Password = "small", wire.NewSecret(planted)
	s := openStore(t, options)
	upsert(t, s, "a", east)
	storetest.RequireKept(t, s, map[string][]float32{"a": east})
	requireFound(t, s, east, vectordb.Match{ID: "a"})
	require.NoError(t, admin.FTDropIndex(t.Context(), indexOf).Err())
	requireFound(t, s, east, vectordb.Match{ID: "a"})
}

func TestStoreInProcessNeedsOnlyHashes(t *testing.T) {
	server := redistest.Start(t)
	require.NoError(t, newClient(t, server).Do(t.Context(), "ACL", "SETUSER", "tiny", "on", ">"+planted,
		"~kong:*", "-@all", "+hget", "+hset").Err())
	options := optionsFor(server)
	options.Connection.Username, options.Connection.Password, options.InProcess = "tiny", wire.NewSecret(planted), true
	s := openStore(t, options)
	upsert(t, s, "a", east)
	requireFound(t, s, east, vectordb.Match{ID: "a"})
}

func TestStoreNamesTheMissingRight(t *testing.T) {
	server := redistest.Start(t)
	require.NoError(t, newClient(t, server).Do(t.Context(), "ACL", "SETUSER", "none", "on", ">"+planted,
		"~kong:*", "-@all").Err())
	options := optionsFor(server)
	options.Connection.Username, options.Connection.Password = "none", wire.NewSecret(planted)
	_, err := open(t.Context(), options)
	require.True(t, goredis.IsPermissionError(err))
	require.ErrorContains(t, err, "'FT._LIST'")
}

func TestStoreErrorForRefusedCredentialsHidesThem(t *testing.T) {
	locked := redistest.StartWith(t, redistest.Options{Args: []string{"--requirepass", "right"}})
	unlocked := redistest.Start(t)
	for name, tt := range map[string]struct {
		server             *redistest.Server
		username, password string
	}{
		"wrong password":       {locked, "", planted},
		"no password":          {locked, "", ""},
		"unknown user":         {locked, "stranger", planted},
		"server without users": {unlocked, "stranger", planted},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			options := optionsFor(tt.server)
			options.Connection.Username, options.Connection.Password = tt.username, wire.NewSecret(tt.password)
			options.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := open(t.Context(), options)
			require.ErrorIs(t, err, redis.ErrAuth)
			require.EqualError(t, err, "list indexes at redis "+tt.server.Addr+": username or password refused")
			require.NotContains(t, log.String(), planted)
		})
	}
}

// A pipeline whose connection cannot be made leaves its commands without an error.
func TestStoreReportsRefusedCredentialsWhenItWrites(t *testing.T) {
	options := optionsFor(redistest.StartWith(t, redistest.Options{Args: []string{"--requirepass", "right"}}))
	options.Connection.Password, options.InProcess = wire.NewSecret(planted), true
	s, err := redis.New(options)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.ErrorIs(t, s.Upsert(t.Context(), vectordb.Record{ID: "a", Vector: east}), redis.ErrAuth)
}

// Servers without HELLO, and proxies, repeat the arguments of commands that they do not
// know.
func TestStoreErrorsDoNotRepeatThePassword(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			parrot(conn)
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		<-served
	})
	_, err = open(t.Context(), redis.Options{
		Connection: redis.Connection{Addr: listener.Addr().String(), Username: "user", Password: wire.NewSecret(planted)},
		Collection: vectordb.Collection{Model: "m", Space: vectordb.Space{Dimensions: 2, Metric: vectordb.Cosine}},
	})
	require.Error(t, err)
	require.NotContains(t, err.Error(), planted)
}

// parrot answers every command with an error that repeats it.
func parrot(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	received := make([]byte, 4096)
	for {
		n, err := conn.Read(received)
		if err != nil {
			return
		}
		text := strings.ReplaceAll(string(received[:n]), "\r\n", " ")
		if _, err := conn.Write([]byte("-ERR cannot do '" + text + "'\r\n")); err != nil {
			return
		}
	}
}

func TestStoreClientLogHoldsNoValues(t *testing.T) {
	defer redis.RouteClientLog(slog.New(slog.DiscardHandler))
	var log lockedBuffer
	redis.RouteClientLog(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	locked := redistest.StartWith(t, redistest.Options{Args: []string{"--requirepass", "right"}})
	options := optionsFor(locked)
	options.Connection.Password = wire.NewSecret(planted)
	_, err := open(t.Context(), options)
	require.ErrorIs(t, err, redis.ErrAuth)
	locked.Kill()
	_, err = open(t.Context(), options)
	require.Error(t, err)
	require.NotContains(t, log.String(), planted)
	require.NotContains(t, log.String(), "WRONGPASS")
}

func TestStoreConnectsWithTLS(t *testing.T) {
	server := redistest.StartWith(t, redistest.Options{TLS: true})
	options := optionsFor(server)
	options.Connection.SSL, options.Connection.RootCAs = true, server.RootCAs
	s := openStore(t, options)
	upsert(t, s, "a", east)
	requireFound(t, s, east, vectordb.Match{ID: "a"})

	options.Connection.ServerName = "localhost"
	requireFound(t, openStore(t, options), east, vectordb.Match{ID: "a"})

	options.Connection.ServerName, options.Connection.RootCAs, options.Connection.SSLSkipVerify = "", nil, true
	requireFound(t, openStore(t, options), east, vectordb.Match{ID: "a"})
}

func TestStoreNamesTheFaultOfTLS(t *testing.T) {
	server := redistest.StartWith(t, redistest.Options{TLS: true})
	plain := redistest.Start(t)
	for name, tt := range map[string]struct {
		server *redistest.Server
		change func(*redis.Options)
		want   string
	}{
		"unknown authority": {server, func(o *redis.Options) { o.Connection.RootCAs = nil }, "certificate signed by unknown authority"},
		"other name":        {server, func(o *redis.Options) { o.Connection.ServerName = "elsewhere" }, "not elsewhere"},
		"no TLS requested":  {server, func(o *redis.Options) { o.Connection.SSL = false }, "may want ssl"},
		"server without TLS": {plain, func(o *redis.Options) {
			o.Connection.ConnectTimeout = 200 * time.Millisecond
		}, "deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			options := optionsFor(tt.server)
			options.Connection.SSL, options.Connection.RootCAs = true, server.RootCAs
			tt.change(&options)
			start := time.Now()
			_, err := open(t.Context(), options)
			require.ErrorContains(t, err, tt.want)
			require.Less(t, time.Since(start), late)
		})
	}
	options := optionsFor(server)
	options.Connection.SSL = true
	_, err := open(t.Context(), options)
	var untrusted *tls.CertificateVerificationError
	require.ErrorAs(t, err, &untrusted)
}

func TestStoreWithoutSearchIsLoggedOnce(t *testing.T) {
	var log lockedBuffer
	server := redistest.StartWith(t, redistest.Options{Plain: true})
	options := optionsFor(server)
	options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := openStore(t, options)
	upsert(t, s, "a", east)
	server.Restart()
	requireFound(t, s, east, vectordb.Match{ID: "a"})
	requireSynced(t, s)
	require.Equal(t, 1, strings.Count(log.String(), "no search module"))
	storetest.RequireKept(t, openStore(t, optionsFor(server)), map[string][]float32{"a": east})
}

func TestStoreClosesWithCallsInFlight(t *testing.T) {
	server := redistest.Start(t)
	s, err := open(t.Context(), optionsFor(server))
	require.NoError(t, err)
	server.Pause()
	defer server.Resume()
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		_, err := s.Search(ctx, east, 1)
		ended <- err
	}()
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, s.Close())
	require.Error(t, <-ended)
}
