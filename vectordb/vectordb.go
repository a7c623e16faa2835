// Package vectordb finds the stored vectors nearest to a query.
//
// [Store] is the contract; storetest holds the suite every implementation passes.
// There are three of them:
//
//   - [Memory] keeps all in the process.
//   - [Redis] keeps the vectors in Redis, so that replicas and restarts share
//     them, and lets its search module compare them.
//   - [Synced] answers from memory and keeps another store up to date behind it:
//     what a request waits for never leaves the process.
//
// Vectors mean nothing without the model they come from, and a store of one model
// never sees those of another.
package vectordb

import (
	"context"
	"errors"
)

// ErrVector is what every error about a vector wraps that a store cannot keep or
// compare: one of another width than the store's, one with NaN or infinity in it,
// or one whose length is not 1.
var ErrVector = errors.New("invalid vector")

// ErrRecord is what the error about a record without an ID wraps.
var ErrRecord = errors.New("record without an ID")

// Metric is a way to measure the distance between two unit vectors. All of them
// give 0 for the same direction and grow from there. The names are those of the
// plugin's vectordb.distance_metric.
type Metric string

// The metrics of the plugin's schema.
const (
	// Cosine is 1 − cos, from 0 to 2.
	Cosine Metric = "cosine"
	// Euclidean is half the L2 distance of the unit vectors, from 0 to 1.
	Euclidean Metric = "euclidean"
)

// Record is a vector under a name.
type Record struct {
	// ID names the record within its store. It is never empty.
	ID string
	// Vector has unit length (to a thousandth) and the width of the store.
	Vector []float32
}

// Match is a record near a query.
type Match struct {
	ID string
	// Distance is by the store's metric; never negative, never NaN.
	Distance float64
}

// Store keeps a few vectors (one for each description) and finds those near a
// query. Implementations are safe for concurrent use and pass storetest.Run.
//
// A call whose context has ended returns the context's error and does nothing.
// No vector is shared between a store and its caller: both may change their own.
type Store interface {
	// Upsert adds records, replacing those of the same ID; of several with one ID
	// in a call, the last one counts. A record without ID is an ErrRecord, one
	// whose vector is not a finite unit vector of the store's width an ErrVector,
	// and then nothing of the call is stored. Any other error leaves open which of
	// the records are stored; the same call again is the remedy.
	Upsert(ctx context.Context, records ...Record) error

	// Get returns the vectors kept under ids. Those that are not there are absent
	// from the answer, which is not an error, and so are those that something
	// else has overwritten with what is no unit vector of the store's width.
	Get(ctx context.Context, ids ...string) (map[string][]float32, error)

	// Search returns up to k matches, nearest first, ties by ID. An empty store
	// returns none and no error, and so does a k below 1. A vector that the store
	// could not keep is an ErrVector.
	Search(ctx context.Context, vector []float32, k int) ([]Match, error)

	// Close releases what the store holds. No other call may follow.
	Close() error
}
