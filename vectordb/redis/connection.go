package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"semlb/wire"
)

// defaultTimeout is the plugin's default of connect_timeout, read_timeout and
// send_timeout.
const defaultTimeout = 2 * time.Second

// Connection says where a Redis server is and how to connect to it. The names in
// brackets are the plugin's, below vectordb.redis.
type Connection struct {
	// Addr is "host:port" [host, port].
	Addr string
	// Username and Password are for the server's ACL [username, password].
	Username string
	Password wire.Secret
	// Database is the number of the database [database].
	Database int

	// SSL turns TLS on [ssl].
	SSL bool
	// SSLSkipVerify accepts any certificate [ssl_verify: false].
	SSLSkipVerify bool
	// ServerName is expected in the certificate [server_name]; Addr's host if empty.
	ServerName string
	// RootCAs are the trusted authorities; the system's if nil.
	RootCAs *x509.CertPool

	// ConnectTimeout, SendTimeout and ReadTimeout [connect_timeout, send_timeout,
	// read_timeout] are 2 s each if 0. The context of a call may be shorter.
	ConnectTimeout, SendTimeout, ReadTimeout time.Duration
	// PoolSize limits the connections [keepalive_pool_size]; at 0 the limit is the
	// client library's, ten for each CPU.
	PoolSize int
}

// NewClient returns a client of the server with the settings that a store uses, for
// other users of the same server. It does not connect yet. The caller closes it.
func NewClient(c Connection) (*goredis.Client, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("redis options: %w", err)
	}
	return goredis.NewClient(c.withDefaults().clientOptions(nil)), nil
}

func (c Connection) validate() error {
	switch {
	case c.Addr == "":
		return errors.New("host and port: got none")
	case min(c.ConnectTimeout, c.SendTimeout, c.ReadTimeout) < 0:
		return errors.New("timeouts: got one below 0")
	case c.PoolSize < 0:
		return fmt.Errorf("keepalive_pool_size: got %d, want 1 or more", c.PoolSize)
	case c.Username != "" && c.Password.IsZero():
		return errors.New("username: given without a password")
	}
	return nil
}

func (c Connection) withDefaults() Connection {
	for _, timeout := range []*time.Duration{&c.ConnectTimeout, &c.SendTimeout, &c.ReadTimeout} {
		if *timeout == 0 {
			*timeout = defaultTimeout
		}
	}
	return c
}

// callTimeout bounds a call whose context has no deadline: the time for one connection
// and one exchange.
func (c Connection) callTimeout() time.Duration {
	return c.ConnectTimeout + c.SendTimeout + c.ReadTimeout
}

// clientOptions returns the client library's options. Its own defaults would keep a
// caller for seconds beyond its deadline while a server hangs or is unreachable, and
// need rights that a small ACL does not grant.
func (c Connection) clientOptions(onConnect func(context.Context, *goredis.Conn) error) *goredis.Options {
	return &goredis.Options{
		Addr:                  c.Addr,
		Username:              c.Username,
		Password:              c.Password.Reveal(),
		DB:                    c.Database,
		Dialer:                c.dial,
		OnConnect:             onConnect,
		ContextTimeoutEnabled: true,
		MaxRetries:            1,
		DialerRetries:         1,
		DialTimeout:           c.ConnectTimeout,
		ReadTimeout:           c.ReadTimeout,
		WriteTimeout:          c.SendTimeout,
		PoolSize:              c.PoolSize,
		PipelinePoolSize:      -1, // no second pool
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}
}

// dial connects within ConnectTimeout, TLS handshake included. The library's own
// dialer ignores the context during a handshake.
func (c Connection) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.ConnectTimeout)
	defer cancel()
	if !c.SSL {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	return (&tls.Dialer{Config: c.tlsConfig()}).DialContext(ctx, network, addr)
}

func (c Connection) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         c.ServerName,
		RootCAs:            c.RootCAs,
		InsecureSkipVerify: c.SSLSkipVerify, //nolint:gosec // ssl_verify: false requests it.
	}
}
