package vectordb

import (
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// NewRedisClient makes a client that talks to a server as a store of the same
// options does, for others who keep something there. Of the options only those
// count that say where the server is and how to talk to it. The caller closes it.
func NewRedisClient(o RedisOptions) (*redis.Client, error) {
	switch {
	case o.Addr == "":
		return nil, errors.New("redis options: host and port: got none")
	case min(o.ConnectTimeout, o.SendTimeout, o.ReadTimeout) < 0:
		return nil, errors.New("redis options: timeouts: got one below 0")
	case o.PoolSize < 0:
		return nil, fmt.Errorf("redis options: keepalive_pool_size: got %d, want 1 or more", o.PoolSize)
	}
	return redis.NewClient(o.withDefaults().client(nil)), nil
}
