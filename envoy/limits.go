package envoy

// The largest head of a request that the outer role accepts, with Envoy's own headers
// such as x-request-id, and without pseudo-headers.
const (
	MaxHeaders = 128
	// MaxHeaderBytes counts names and values.
	MaxHeaderBytes = 64 << 10
)

// HoldsBack is the number of bytes of an answer that have arrived, at least, when a client
// that does not read keeps Envoy from reading on.
const HoldsBack = 64 << 10

// MaxBodyLimit is the largest limit of request bodies, in bytes, that Envoy's flow control
// can express with the margins that failover needs: a stream's window is below 2³¹.
const MaxBodyLimit = 512 << 20

// LargeBody is the length in bytes from which a body is admitted by its request's head, as is
// one of unknown length.
const LargeBody = 10_000
