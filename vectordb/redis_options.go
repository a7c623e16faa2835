package vectordb

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// defaultRedisTimeout is the plugin's default of connect_timeout, read_timeout and
// send_timeout.
const defaultRedisTimeout = 2 * time.Second

// RedisOptions says where the server is, how to talk to it, and what is kept there.
// The names in brackets are the plugin's, below vectordb.redis.
type RedisOptions struct {
	// Addr is "host:port" [host, port] or the absolute path of a Unix socket.
	Addr string
	// Username and Password are for the server's ACL [username, password]. They
	// appear in no error and no log.
	Username, Password string
	// Database is the number of the database [database]. Unless InProcess it has to be
	// 0: the search module indexes no other, and a search in another one would
	// silently use the indexes of 0.
	Database int

	// SSL turns TLS on [ssl].
	SSL bool
	// SSLSkipVerify accepts any certificate [ssl_verify: false].
	SSLSkipVerify bool
	// ServerName is expected in the certificate [server_name]; Addr's host if empty.
	ServerName string
	// RootCAs are the authorities trusted; the system's if nil.
	RootCAs *x509.CertPool

	// ConnectTimeout, SendTimeout and ReadTimeout [connect_timeout, send_timeout,
	// read_timeout] are 2 s each if 0. The context of a call may be shorter.
	ConnectTimeout, SendTimeout, ReadTimeout time.Duration
	// PoolSize limits the connections [keepalive_pool_size]; 0 leaves it to the
	// client library, which takes ten for each processor.
	PoolSize int

	// SentinelNodes and ClusterNodes have to be empty [sentinel_nodes,
	// cluster_nodes]: search across several servers is not supported.
	SentinelNodes, ClusterNodes []string

	// Namespace keeps apart what is not to be compared; "default" if empty.
	Namespace string
	// Model names the embedding model and the version of its weights.
	Model string
	// Dimensions is the width of its vectors.
	Dimensions int
	// Metric is what distances are measured with.
	Metric Metric
	// InProcess keeps the vectors in the server but compares them in this process,
	// as if the server had no search. It needs no FT commands and no index; it is
	// what a store behind [Synced] wants.
	InProcess bool

	// Logger gets the rare events: an index made, records put back. It may be nil.
	Logger *slog.Logger
}

// check says what is wrong with the options.
func (o RedisOptions) check() (space, error) {
	for _, refused := range []struct {
		is   bool
		text string
	}{
		{o.Addr == "", "host and port: got none"},
		{o.Database != 0 && !o.InProcess, fmt.Sprintf("database: got %d, want 0: redis indexes no other", o.Database)},
		{len(o.SentinelNodes) > 0, "sentinel_nodes: not supported, name one server as host and port"},
		{len(o.ClusterNodes) > 0, "cluster_nodes: not supported, name one server as host and port"},
		{o.Model == "", "model: got none"},
		{min(o.ConnectTimeout, o.SendTimeout, o.ReadTimeout) < 0, "timeouts: got one below 0"},
		{o.PoolSize < 0, fmt.Sprintf("keepalive_pool_size: got %d, want 1 or more", o.PoolSize)},
		{o.Username != "" && o.Password == "", "username: given without a password"},
	} {
		if refused.is {
			return space{}, errors.New(refused.text)
		}
	}
	return newSpace(o.Dimensions, o.Metric)
}

func (o RedisOptions) withDefaults() RedisOptions {
	for _, timeout := range []*time.Duration{&o.ConnectTimeout, &o.SendTimeout, &o.ReadTimeout} {
		if *timeout == 0 {
			*timeout = defaultRedisTimeout
		}
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// client makes the client library's options. Those that differ from its defaults
// are there because a frozen or vanished server would otherwise hold a caller for
// seconds beyond its deadline, or need rights that a small ACL does not give.
func (o RedisOptions) client(onConnect func(context.Context, *redis.Conn) error) *redis.Options {
	return &redis.Options{
		Addr:                  o.Addr,
		Username:              o.Username,
		Password:              o.Password,
		DB:                    o.Database,
		Dialer:                o.dial,
		OnConnect:             onConnect,
		ContextTimeoutEnabled: true,
		MaxRetries:            1,
		DialerRetries:         1,
		DialTimeout:           o.ConnectTimeout,
		ReadTimeout:           o.ReadTimeout,
		WriteTimeout:          o.SendTimeout,
		PoolSize:              o.PoolSize,
		PipelinePoolSize:      -1, // no second pool
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}
}

// dial connects within ConnectTimeout, TLS handshake included. The library's own
// dialer would not heed the context during a handshake.
func (o RedisOptions) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
	defer cancel()
	if !o.SSL {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	return (&tls.Dialer{Config: o.tlsConfig()}).DialContext(ctx, network, addr)
}

func (o RedisOptions) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         o.ServerName,
		RootCAs:            o.RootCAs,
		InsecureSkipVerify: o.SSLSkipVerify, //nolint:gosec // ssl_verify: false asks for it.
	}
}

// redisLayout is the version of what is written. It changes with the meaning of
// keys, fields or index.
const redisLayout = "v1"

// vectorField is the field of a hash with the vector, and the index's only one.
const vectorField = "vector"

// redisNames are the names of a store in the server. All begin with "kong:", which
// a server's ACL is likely to know already.
type redisNames struct {
	index, prefix string
}

func newRedisNames(o RedisOptions) redisNames {
	model := sha256.Sum256([]byte(o.Model))
	base := fmt.Sprintf("kong:semlb:%s:%s:%s:%d:", redisLayout,
		url.QueryEscape(o.Namespace), hex.EncodeToString(model[:8]), o.Dimensions)
	// The prefix is without the metric: vectors are the same whatever it is.
	return redisNames{index: base + "index:" + string(o.Metric), prefix: base + "vector:"}
}

// key is the name of the hash for an ID.
func (n redisNames) key(id string) string { return n.prefix + id }

// idOf is the ID of a hash of this store.
func (n redisNames) idOf(key string) string { return strings.TrimPrefix(key, n.prefix) }
