package parts

import "semlb/envoy"

// limits are the buffer sizes with which every body up to the ceiling keeps failover,
// measured on Envoy 1.36 to 1.40. Where a filter reads the body ([wholeBody]), its limit
// takes the place of the others. Elsewhere:
//
//   - on 1.36 the ceiling is the connection's limit on HTTP/1 and the stream's window on
//     HTTP/2, and the route's limit must be more than twice that, or large bodies silently
//     lose their retries; on later versions the ceiling is the route's limit;
//   - the inner route's limit must be larger than the outer one, because a rewrite may make
//     the body longer; that of the inner connection has no such task, since a filter reads
//     the whole body first ([wholeBody]).
type limits struct {
	ceiling                uint32
	outerRoute, innerRoute uint64
}

// What Envoy keeps of an answer while its client does not read is the sum of the buffers on
// its way. Those that no request has to fit into are small.
const (
	// relayBuffer is the limit of the inner listener's connections and of those to
	// providers, in bytes.
	relayBuffer = 64 << 10
	// clientBuffer is the limit of a client's connection, and clientWindow that of a stream
	// over HTTP/2: what Envoy takes of a body before its request is admitted.
	clientBuffer = 32 << 10
	clientWindow = 64 << 10
	// answerWindow is how much a provider may send of one answer over HTTP/2 before its
	// client reads, and answersWindow of all on one connection: those that are not read
	// must not stop the others.
	answerWindow  = 256 << 10
	answersWindow = 256 << 20
	// maxStreams is how many requests a client may have in flight on one HTTP/2 connection.
	// More use another one.
	maxStreams = 100
)

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
		ceiling:    ceiling,
		outerRoute: 2*uint64(ceiling) + margin,
		innerRoute: 2*uint64(ceiling+margin) + margin,
	}
}

// smallBody matches lengths below [envoy.LargeBody]. Such a body, and its copy for another
// attempt, fit into clientBuffer.
const smallBody = "[0-9]{1,4}"
