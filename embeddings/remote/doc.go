// Package remote is what embedders behind an HTTP API share: URL and credential, a
// transport that connects to no metadata service, one bounded exchange of JSON, errors
// without the words of requests and answers, and the checks of the vectors.
//
// The embedder of an API holds a [Client] and a [Width], and defines requests and
// answers; embeddings/openai is an example.
package remote
