// Package redis keeps vectors in a Redis server, with or without its search module.
//
// Each record of a collection is a hash with one field; an exact (FLAT) index compares
// them. Keys and index carry the version of this layout, the namespace, a hash of the
// model's name, and the width. So vectors of two models never meet, and replicas of
// different versions or configurations do not disturb each other.
//
// A user of the server needs these rights, and with InProcess only the first two
// commands:
//
//	~kong:* -@all +hget +hset +ft._list +ft.create +ft.info +ft.search
//
// and +select for a Database other than 0. With +del +multi +exec it replaces a key of its own
// that holds something other than a hash; without them, an error names the key.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	goredis "github.com/redis/go-redis/v9"

	"semlb/vectordb"
)

// Options say where a [Store] keeps which vectors.
type Options struct {
	Connection Connection
	Collection vectordb.Collection
	// InProcess keeps the vectors in the server but compares them in this process, as
	// if the server had no search. It needs no FT commands and no index; a store
	// behind a [vectordb.Synced] should set it. Without it Connection.Database has to
	// be 0: the search module indexes no other, and a search in another one would
	// silently use the indexes of 0.
	InProcess bool
	// Logger gets the rare events: an index created, records put back. It may be nil.
	Logger *slog.Logger
}

// validate returns an error that names the setting that is wrong, if any.
func (o Options) validate() error {
	if err := o.Connection.validate(); err != nil {
		return err
	}
	if o.Connection.Database != 0 && !o.InProcess {
		return fmt.Errorf("database: got %d, want 0: redis indexes no other", o.Connection.Database)
	}
	if o.Collection.Model == "" {
		return errors.New("model: got none")
	}
	return o.Collection.Validate()
}

// Store is a [vectordb.Store] in a Redis server. A server without the search module
// keeps the vectors all the same; they are then compared in this process, among the
// records that it has upserted or got.
//
// The store survives a server that restarts without its data: it remembers what it has
// upserted and got, checks after each new connection whether the index and those
// records are there, and puts back what is missing. It starts no goroutine: the call
// that needs the check makes it, within its own deadline. A running call whose context
// is cancelled before its deadline ends within ReadTimeout, not at once.
type Store struct {
	collection collection
	inProcess  bool

	// known are the records that are put back if the server loses them.
	known *vectordb.Memory
	// dials counts the connections made. A new one may lead to a server that has
	// restarted.
	dials atomic.Uint64
	// checked is the result of the last check of the server, or nil.
	checked atomic.Pointer[serverCheck]
	// checking is a lock for checks: the holder has sent to it. It is a channel
	// because waiting for it must end with the caller's context.
	checking chan struct{}
	// searchless is set while the server has no search, so that it is logged once.
	searchless atomic.Bool
}

var (
	_ vectordb.Store          = (*Store)(nil)
	_ vectordb.Syncer         = (*Store)(nil)
	_ vectordb.ServerSearcher = (*Store)(nil)
)

// New returns a store without connecting to the server; the first call connects. Its
// errors are about the options and name the setting.
func New(o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("redis options: %w", err)
	}
	known, err := vectordb.NewMemory(o.Collection.Dimensions, o.Collection.Metric)
	if err != nil {
		return nil, fmt.Errorf("redis options: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	connection := o.Connection.withDefaults()
	s := &Store{
		collection: collection{connection: connection, layout: newLayout(o.Collection), log: o.Logger},
		inProcess:  o.InProcess,
		known:      known,
		checking:   make(chan struct{}, 1),
	}
	s.collection.client = goredis.NewClient(connection.clientOptions(func(context.Context, *goredis.Conn) error {
		s.dials.Add(1)
		return nil
	}))
	return s, nil
}

// SearchesServer reports whether searches are calls of the server, which they are
// unless the store was opened with InProcess.
func (s *Store) SearchesServer() bool { return !s.inProcess }

// Sync sees to it that the server has the index and every record that this process
// knows, and returns how many records were put back. It notices records that something
// else has overwritten, for which the checks after new connections are too rare.
// Searches do not wait for it. An [ErrAuth], an [ErrIndex] or a certificate's error
// stays until somebody changes a setting; others may pass.
func (s *Store) Sync(ctx context.Context) (int, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	unlock, err := s.lockCheck(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	c, err := s.checkAgain(ctx)
	if err != nil {
		return 0, err
	}
	return c.restored, nil
}

// Upsert is described at [vectordb.Store].
func (s *Store) Upsert(ctx context.Context, records ...vectordb.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	owned, err := s.collection.layout.space.Own(records)
	if err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if _, err := s.check(ctx); err != nil {
		return err
	}
	if err := s.collection.write(ctx, owned); err != nil {
		return err
	}
	// The server has the records, so they are known even if ctx has just ended.
	return s.known.Upsert(context.WithoutCancel(ctx), owned...)
}

// Get is described at [vectordb.Store]. It needs no index.
func (s *Store) Get(ctx context.Context, ids ...string) (map[string][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	return s.known.Refresh(func() (map[string][]float32, error) { return s.collection.read(ctx, ids) })
}

// Search is described at [vectordb.Store].
func (s *Store) Search(ctx context.Context, vector []float32, k int) ([]vectordb.Match, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := s.collection.layout.space.Length(vector); err != nil || k < 1 {
		return nil, err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	matches, sound, err := s.searchOnce(ctx, vector, k)
	if !sound && ctx.Err() == nil {
		matches, _, err = s.searchOnce(ctx, vector, k)
	}
	return matches, err
}

// searchOnce searches once. The answer is sound if the server is known to have all the
// records: a new connection, or an index that is gone, means that it may not.
func (s *Store) searchOnce(ctx context.Context, vector []float32, k int) (matches []vectordb.Match, sound bool, err error) {
	c, err := s.check(ctx)
	if err != nil {
		return nil, true, err
	}
	if !c.search {
		matches, err = s.known.Search(ctx, vector, k)
		return matches, true, err
	}
	matches, err = s.collection.nearest(ctx, vector, k)
	if isIndexLost(err) {
		s.invalidate(c)
		return nil, false, s.collection.connection.failure("search", err)
	}
	if err != nil {
		return nil, true, s.collection.connection.failure("search", err)
	}
	return matches, s.validCheck() != nil, nil
}

// Close closes the connections. The records stay in the server.
func (s *Store) Close() error {
	if err := s.collection.client.Close(); err != nil {
		return fmt.Errorf("close redis client: %w", err)
	}
	return nil
}

// bound bounds calls whose context has no deadline.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.collection.connection.callTimeout())
}
