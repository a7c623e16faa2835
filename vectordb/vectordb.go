// Package vectordb finds the stored vectors nearest to a query.
//
// [Store] is the contract; [semlb/vectordb/storetest] holds the suite that every
// implementation passes. Vectors are only comparable within one embedding model, so a
// store never sees those of another one.
//
//   - [Memory] keeps all vectors in the process.
//   - [semlb/vectordb/redis] keeps them in Redis, so that replicas and restarts share
//     them, and searches there or in the process.
//   - [Synced] searches in memory and keeps another store up to date behind it, so
//     that requests never wait for a server.
//
// A store for another database is one folder beside redis. It takes a [Collection],
// which says what to keep apart from what, checks vectors with [Space], and declares
// what else it can do by implementing [Syncer] or [ServerSearcher].
package vectordb

import (
	"cmp"
	"context"
	"errors"
	"strings"
)

var (
	// ErrVector is wrapped by every error about a vector that a store cannot keep or
	// compare: one of another width than the store's, one with NaN or infinity in it,
	// or one whose length is not 1.
	ErrVector = errors.New("invalid vector")
	// ErrRecord is wrapped by the error about a record without an ID.
	ErrRecord = errors.New("record without an ID")
)

// Record is a vector with a name.
type Record struct {
	// ID names the record within its store. It is never empty.
	ID string
	// Vector has unit length (to a thousandth) and the width of the store.
	Vector []float32
}

// Match is a record near a query.
type Match struct {
	ID string
	// Distance is measured by the store's metric. It is never negative and never NaN.
	Distance float64
}

// CompareMatches orders matches as [Store.Search] returns them: by distance, then by
// ID.
func CompareMatches(a, b Match) int {
	return cmp.Or(cmp.Compare(a.Distance, b.Distance), strings.Compare(a.ID, b.ID))
}

// Store keeps a few vectors, one for each description, and finds those near a query.
// Implementations are safe for concurrent use and pass storetest.Run.
//
// A call whose context has ended returns the context's error and does nothing.
// Vectors are copied on the way in and out: a store and its caller may both write to
// their own.
type Store interface {
	// Upsert adds records and replaces those with the same ID; if a call has several
	// records with one ID, the last one counts. A record without an ID is an
	// ErrRecord, one whose vector is not a finite unit vector of the store's width an
	// ErrVector, and then nothing of the call is stored. After any other error some
	// of the records may be stored; repeating the call is safe.
	Upsert(ctx context.Context, records ...Record) error

	// Get returns the vectors stored under ids. Absent ones are left out, which is not
	// an error, and so are entries that something else has overwritten with a value
	// that is not a unit vector of the store's width.
	Get(ctx context.Context, ids ...string) (map[string][]float32, error)

	// Search returns up to k matches, nearest first, ties by ID (see CompareMatches).
	// An empty store or a k below 1 returns none and no error. A query that the store
	// could not keep is an ErrVector.
	Search(ctx context.Context, vector []float32, k int) ([]Match, error)

	// Close releases connections and memory. The store must not be used afterwards.
	Close() error
}

// Syncer is an optional ability of a [Store] that keeps a copy of its records outside
// of this process, where they can get lost.
type Syncer interface {
	// Sync writes the records that this process knows and the other side lacks, and
	// returns how many those were. The owner calls it from time to time.
	Sync(ctx context.Context) (int, error)
}

// ServerSearcher is an optional ability of a [Store] whose searches may be calls of a
// server, and so can fail or take long.
type ServerSearcher interface {
	// SearchesServer reports whether searches are calls of a server.
	SearchesServer() bool
}
