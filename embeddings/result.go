package embeddings

import (
	"context"
	"errors"
)

// Result says how a [Cache] came by a vector, or why it did not. The set is closed:
// it is a label of metrics.
type Result string

// The results. Hit and Joined are of one text, the others of one call of the embedder
// for all texts that were missing.
const (
	// Hit: the vector was kept.
	Hit Result = "hit"
	// Joined: the call of another caller brought it.
	Joined Result = "joined"
	// Called: the embedder brought it.
	Called Result = "called"
	// Shed: the queue to the embedder was full, or too slow. See [ErrOverloaded].
	Shed Result = "shed"
	// Open: the embedder is left alone, because it failed. See [ErrOpen].
	Open Result = "open"
	// Failed: the embedder was asked, and failed.
	Failed Result = "failed"
	// Abandoned: everybody who waited for it went away, or the cache was closed.
	Abandoned Result = "abandoned"
)

// Results lists every result.
func Results() []Result { return []Result{Hit, Joined, Called, Shed, Open, Failed, Abandoned} }

// resultOf is the result of a call of the embedder.
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
