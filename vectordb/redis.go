package vectordb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is a Store in a Redis server with the search module. Each record is a hash
// with one field; an exact (FLAT) index compares them.
//
// Keys and index carry the version of this layout, the namespace, a hash of the
// model's name, and the width. So vectors of two models never meet, and replicas of
// different versions or configurations do not disturb each other.
//
// Search sees every record of the namespace, other processes' too. What should not
// be compared belongs in another namespace.
//
// A server without the module keeps the vectors all the same; the search is then
// done here, among the records which this process has upserted or got.
//
// The store copes with a server that comes back without its data: it remembers what
// it has upserted and got, looks after each new connection whether the index and all
// of that are there, and puts back what is not. It has no goroutine of its own; all
// is done by the call that needs it, within that call's deadline. A call
// under way whose context is cancelled before its deadline ends within ReadTimeout,
// not at once.
//
// A user of the server needs these rights, and for InProcess only the first two:
//
//	~kong:* -@all +hget +hset +ft._list +ft.create +ft.info +ft.search
//
// and +select for a Database other than 0.
type Redis struct {
	client  *redis.Client
	options RedisOptions
	space   space
	names   redisNames
	log     *slog.Logger

	// known is what this process would put back.
	known *Memory
	// dials counts the connections made. A new one may lead to a server that has
	// restarted.
	dials atomic.Uint64
	// checked is the result of the last look at the server, or nil.
	checked atomic.Pointer[serverCheck]
	// checking holds the turn to look.
	checking chan struct{}
	// searchless is set from when the server was seen to have no search, so that
	// it is logged once.
	searchless atomic.Bool
}

var _ Store = (*Redis)(nil)

// NewRedis makes a store without talking to the server; the first call does. Its
// errors are about the options and name the setting.
func NewRedis(options RedisOptions) (*Redis, error) {
	space, err := options.check()
	if err != nil {
		return nil, fmt.Errorf("redis options: %w", err)
	}
	options = options.withDefaults()
	s := &Redis{
		options:  options,
		space:    space,
		names:    newRedisNames(options),
		log:      options.Logger,
		known:    newMemory(space),
		checking: make(chan struct{}, 1),
	}
	s.client = redis.NewClient(options.client(func(context.Context, *redis.Conn) error {
		s.dials.Add(1)
		return nil
	}))
	return s, nil
}

// OpenRedis makes a store and has it ready: the server answers, and the index is
// there and as it should be. An owner who can do without the server for now uses
// [NewRedis] instead.
func OpenRedis(ctx context.Context, options RedisOptions) (*Redis, error) {
	s, err := NewRedis(options)
	if err != nil {
		return nil, err
	}
	if err := s.Ready(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Ready asks the server, and sees to it that the index and all the records this
// process knows are there. An ErrRedisAuth, an ErrRedisIndex or a
// certificate's error will stay until somebody changes something; others may pass.
func (s *Redis) Ready(ctx context.Context) error {
	_, err := s.Sync(ctx)
	return err
}

// Sync is [Redis.Ready] for an owner who asks from time to time: entries that somebody
// has overwritten with what is no vector are put back even while no connection
// breaks. It returns how many records were put back. Searches do not wait for it.
func (s *Redis) Sync(ctx context.Context) (int, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	done, err := s.turn(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	c, err := s.look(ctx)
	if err != nil {
		return 0, err
	}
	return c.restored, nil
}

// Upsert is described at [Store].
func (s *Redis) Upsert(ctx context.Context, records ...Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	owned, err := s.space.own(records)
	if err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if _, err := s.ready(ctx); err != nil {
		return err
	}
	if err := s.write(ctx, owned); err != nil {
		return err
	}
	s.known.put(owned)
	return nil
}

// Get is described at [Store]. It needs no index.
func (s *Redis) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	before := s.known.snapshot()
	found, err := s.read(ctx, ids)
	if err != nil {
		return nil, err
	}
	return found, s.known.learn(before, found)
}

// Close closes the connections. What is stored stays.
func (s *Redis) Close() error {
	if err := s.client.Close(); err != nil {
		return fmt.Errorf("close redis client: %w", err)
	}
	return nil
}

// bound gives a call an end of its own, for callers that have set none: the time
// for one connection and one exchange.
func (s *Redis) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.options.budget())
}

// budget is the longest a call takes whatever its context says.
func (o RedisOptions) budget() time.Duration {
	return o.ConnectTimeout + o.SendTimeout + o.ReadTimeout
}
