package parts

import "semlb/envoy"

// limits are the buffer sizes with which every body up to the ceiling keeps failover,
// measured on Envoy 1.36 to 1.40:
//
//   - on 1.36 the ceiling is the connection's limit on HTTP/1 and the stream's window on
//     HTTP/2, and the route's limit must be more than twice that, or large bodies silently
//     lose their retries; on later versions the ceiling is the route's limit;
//   - the inner limits must be larger than the outer ones, because a rewrite may make the
//     body longer.
type limits struct {
	outerConnection, innerConnection, window uint32
	outerRoute, innerRoute                   uint64
}

const (
	// margin is room above the ceiling: for the body of a rewritten request, and so that
	// semlb answers 413 with its own message before Envoy does.
	margin = 128 << 10
	// minCeiling keeps HTTP/2 windows at Envoy's sizes for small body limits.
	minCeiling = 1 << 20
)

func limitsFor(bodyLimit int64) limits {
	ceiling := uint32(max(min(bodyLimit, envoy.MaxBodyLimit), minCeiling)) + margin
	return limits{
		outerConnection: ceiling,
		window:          ceiling,
		innerConnection: ceiling + margin,
		outerRoute:      2*uint64(ceiling) + margin,
		innerRoute:      2*uint64(ceiling+margin) + margin,
	}
}
