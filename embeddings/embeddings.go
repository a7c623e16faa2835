// Package embeddings turns texts into unit vectors.
//
// [Embedder] is the contract; embeddingstest holds the suite that every implementation
// passes. Two of them produce vectors:
//
//   - [semlb/embeddings/openai] calls an endpoint that speaks OpenAI's API.
//   - [semlb/embeddings/static] is the model inside the binary.
//
// The three in this package stand before another one: [Fit] shortens texts to what a model
// reads, [Guard] protects a remote embedder and its callers, [Cache] keeps vectors and makes
// one call for equal texts. A remote embedder is used as Cache(Guard(Fit(embedder))), the
// built-in one as Cache(embedder).
//
// The cache makes its calls itself. golang.org/x/sync/singleflight loads one key a call and
// cancels no load; otter's BulkGet loads several keys, but with the context of its first
// caller, whose cancellation ends a load that others wait for.
//
// An embedder for another API is one folder beside openai; [semlb/embeddings/remote] has
// what they share.
package embeddings

import "context"

// Embedder turns texts into unit vectors of one width. Implementations are safe for
// concurrent use.
type Embedder interface {
	// Embed returns one vector for each text, in the order of the texts: of unit
	// length, finite, and all of the same width. A text that means nothing to the
	// model (no known token) has a nil vector, which matches no description.
	//
	// Embed returns within the deadline of ctx. Its errors never hold a text or a
	// credential.
	Embed(ctx context.Context, texts []string) ([][]float32, error)

	// Info describes the model behind the vectors.
	Info() Info
}

// WidthAdopter is an optional ability of an [Embedder] that insists on a width and fails
// with a [*WidthError] for vectors of another one, because stores were opened for it.
type WidthAdopter interface {
	// Adopt insists on another width from now on. The owner calls it with the width of
	// the model's own answers, when it has a store for that.
	Adopt(width int)
}

// Info describes an embedding model.
type Info struct {
	// Model names the model and the version of its weights, for example
	// "openai/text-embedding-3-small". Vectors of different models are never
	// compared, so stores keep them apart by this name.
	Model string

	// Dimensions is the width of the vectors, or 0 while it is not known: until the
	// first answer of a remote model from which no width was requested.
	Dimensions int

	// DistanceScale is the factor k of this model's distances, k·(1−cos). It is 1
	// for everything but static models, whose cosines are lower than those that the
	// thresholds of existing configurations were written for.
	DistanceScale float64
}
