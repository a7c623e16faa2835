// Package embeddings turns texts into unit vectors.
//
// Every embedder has the same small surface, [Embedder]; the packages below
// this one and the types in it are the ways to have one: an OpenAI-compatible
// endpoint, the built-in static model, and a cache in front of either.
package embeddings

import "context"

// Embedder turns texts into unit vectors of one width.
//
// Implementations are safe for concurrent use.
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

// Info describes an embedding model.
type Info struct {
	// Model names the model and the version of its weights, for example
	// "openai/text-embedding-3-small". Vectors of different models are never
	// compared, so stores keep them apart by this name.
	Model string

	// Dimensions is the width of the vectors, or 0 while it is not known, which is
	// until a remote model that was not asked for a width has answered once.
	Dimensions int

	// DistanceScale is the factor k of this model's distances, k·(1−cos). It is 1
	// for everything but static models, whose cosines are lower than those the
	// thresholds of existing configurations were written for.
	DistanceScale float64
}
