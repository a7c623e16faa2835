// Package provider reads the requests of clients and writes them for one target: with
// that target's host, path, credentials, model and options, and nothing of any other
// target. What depends on a provider's wire format is a [Dialect], in a package of its
// own; provider/dialects finds it by the provider's name.
//
// Reading is strict, because semlb and the provider must read the same request: a
// body that two JSON parsers could read differently is refused ([CodeAmbiguousJSON]).
// [Request.Edit] splices: the members that a target sets change, and every other byte
// of the body stays as the client wrote it.
//
// Envoy repeats a request that fails over with the body of its first attempt.
// [EncodeOriginals] keeps what is needed to undo that rewrite, and [ReadAttempt]
// undoes it, so that each target starts from the client's request.
//
// The package is on the request path. It reads a body in one pass and copies it once,
// when it is rewritten. A [Target] is safe for concurrent use; a [Request], a
// [Translator] and a [Meter] belong to one goroutine. A body must not change while a
// [Request] read from it is in use.
package provider
