// Package vectordb finds the stored vectors nearest to a query.
//
// [Store] is the contract; storetest holds the suite every implementation passes.
package vectordb

import "context"

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
	// Vector has unit length and the width of the store.
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
type Store interface {
	// Upsert adds records, replacing those of the same ID. A record whose vector
	// is not a finite unit vector of the store's width is an error, and then
	// nothing of the call is stored.
	Upsert(ctx context.Context, records ...Record) error

	// Get returns the vectors kept under ids. Those that are not there are absent
	// from the answer, which is not an error.
	Get(ctx context.Context, ids ...string) (map[string][]float32, error)

	// Search returns up to k matches, nearest first, ties by ID. An empty store
	// returns none and no error.
	Search(ctx context.Context, vector []float32, k int) ([]Match, error)

	// Close releases what the store holds. No other call may follow.
	Close() error
}
