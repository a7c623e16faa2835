package envoy

// limits are the buffer sizes that keep failover intact for every body up to the
// ceiling, measured on Envoy 1.36 to 1.40:
//
//   - on 1.36 the ceiling is the connection's limit on HTTP/1 and the stream's
//     window on HTTP/2, and the route's limit must be more than twice that, or
//     large bodies silently lose their retries; later versions take the route's;
//   - the inner limits must be larger than the outer ones, because a rewrite may
//     make the body longer.
type limits struct {
	outerConnection, innerConnection, window uint32
	outerRoute, innerRoute                   uint64
}

const (
	// margin is room above the ceiling: for the body of a rewritten request, and for
	// the answer 413 to come from semlb, with its message, rather than from Envoy.
	margin = 128 << 10
	// minCeiling keeps HTTP/2 windows at Envoy's sizes for small body limits.
	minCeiling = 1 << 20
	// MaxBodyLimit is the largest body limit Envoy's flow control can express with
	// its margins (a stream's window is below 2³¹).
	MaxBodyLimit = 512 << 20
)

func limitsFor(bodyLimit int64) limits {
	ceiling := uint32(max(min(bodyLimit, MaxBodyLimit), minCeiling)) + margin
	return limits{
		outerConnection: ceiling,
		window:          ceiling,
		innerConnection: ceiling + margin,
		outerRoute:      2*uint64(ceiling) + margin,
		innerRoute:      2*uint64(ceiling+margin) + margin,
	}
}
