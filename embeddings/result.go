package embeddings

import (
	"context"
	"errors"
)

// Result is the outcome of a lookup in a [Cache] or of a load. The set is closed: it is a
// label of metrics.
type Result string

// The results. Hit, Joined and Shortened count texts, the others calls of the embedder for all
// texts of a lookup that were missing.
const (
	// Hit: the vector was in the cache.
	Hit Result = "hit"
	// Joined: the lookup waited for a call that was in flight.
	Joined Result = "joined"
	// Shortened: the text was longer than the model reads, and its middle left out. See
	// [Fit].
	Shortened Result = "shortened"
	// Called: the embedder returned the vectors.
	Called Result = "called"
	// Shed: the queue to the embedder was full or too slow. See [ErrOverloaded].
	Shed Result = "shed"
	// Open: the circuit breaker was open. See [ErrOpen].
	Open Result = "open"
	// Failed: the embedder was called and failed.
	Failed Result = "failed"
	// Abandoned: all callers cancelled, or the cache was closed.
	Abandoned Result = "abandoned"
)

// Results lists every result.
func Results() []Result {
	return []Result{Hit, Joined, Shortened, Called, Shed, Open, Failed, Abandoned}
}

// resultOf returns the result of a call of the embedder.
func resultOf(err error) Result {
	switch {
	case err == nil:
		return Called
	case errors.Is(err, ErrOverloaded):
		return Shed
	case errors.Is(err, ErrOpen):
		return Open
	case errors.Is(err, context.Canceled), errors.Is(err, ErrClosed):
		return Abandoned
	default:
		return Failed
	}
}
