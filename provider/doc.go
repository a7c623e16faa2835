// Package provider knows the dialects of LLM providers: how a client's request
// is read, and how it is written again for one target, with that target's path,
// credentials, model and options, and nothing of any other target.
//
// Reading is strict, because the bytes that were judged must be the bytes the
// upstream acts on: whatever two JSON parsers could read differently is refused
// ([CodeAmbiguousJSON]). Writing is a splice: only the members a target sets
// change, every other byte of the body stays as the client wrote it.
//
// A request that fails over arrives at its later attempts with the body of the
// first one. [EncodeOriginals] keeps what is needed to undo that rewrite, and
// [ReadAttempt] undoes it, so that each target starts from the client's request.
//
// The package is on the request path. It makes one pass over a body, copies it
// once when it is rewritten, and holds no state: targets are safe for concurrent
// use; a [Request], a [Translator] and a [Meter] belong to one goroutine. A body
// must not change while a [Request] read from it is used.
package provider
