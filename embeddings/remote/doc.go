// Package remote is what embedders behind an HTTP API share: where the API is and with
// which credential, a transport that connects to no metadata service, one bounded
// exchange of JSON, errors that quote nobody, and the checks of the vectors.
//
// An embedder of one API holds a [Client] and a [Width], and says how requests and
// answers look; embeddings/openai is the example.
package remote
