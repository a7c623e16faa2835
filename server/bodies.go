package server

import "sync/atomic"

// bodyBudget bounds the bytes of all bodies of a kind that are held at the same time.
//
// Of request bodies that wait for a response, those over the budget are shed with 503 and
// Retry-After; they never queue. A body is counted from when gRPC has received it, which it does as a whole, until
// its request is answered. It is not counted while Envoy buffers it: if the budget were
// acquired then, clients that send slowly could exhaust it.
type bodyBudget struct {
	limit int64
	held  atomic.Int64
}

// tryAcquire acquires n bytes, and reports whether the budget had them. A single body
// always fits: its own limit is max_request_body_size.
func (b *bodyBudget) tryAcquire(n int) bool {
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

// release returns n bytes to the budget.
func (b *bodyBudget) release(n int) { b.held.Add(-int64(n)) }

// exhausted reports whether not even an empty body fits.
func (b *bodyBudget) exhausted() bool { return b.held.Load() >= b.limit }
