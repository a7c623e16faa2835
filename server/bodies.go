package server

import (
	"context"
	"sync/atomic"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
)

// bodies bounds the bytes of all request bodies that are being decided about at once.
// Nobody waits for room: a request that finds none is told to come back.
//
// A body is counted as soon as gRPC has received it, which it does as a whole, and
// until its request is answered. It is not counted while Envoy buffers it: if room
// were reserved then, clients that send slowly could take all of it.
type bodies struct {
	limit int64
	held  atomic.Int64
}

// take says whether there is room for n bytes, and counts them if there is. A single
// body always has room: its own limit is max_request_body_size.
func (b *bodies) take(n int) bool {
	for {
		held := b.held.Load()
		if held > 0 && held+int64(n) > b.limit {
			return false
		}
		if b.held.CompareAndSwap(held, held+int64(n)) {
			return true
		}
	}
}

// give lets go of n bytes.
func (b *bodies) give(n int) { b.held.Add(-int64(n)) }

// full says whether not even an empty body has room.
func (b *bodies) full() bool { return b.held.Load() >= b.limit }

// shedRetryAfter is the Retry-After of requests that are shed, in seconds: decisions take
// less.
const shedRetryAfter = 1

// shed answers a request for whose body there is no room.
func (p *Processor) shed(ctx context.Context, x *exchange) *extprocv3.ProcessingResponse {
	p.log.WarnContext(ctx, "refused", "request_id", x.requestID(), "code", codeOverloaded, "status", 503)
	r := envoy.RetryAfter(shedRetryAfter, p.answer(503, envoy.ErrorBody(
		"The router has no memory left for this request; try again.", "server_error", codeOverloaded), codeOverloaded))
	if roleOf(ctx) == envoy.RoleInner {
		return envoy.Final(r)
	}
	return r
}
