package redistest

import "go.uber.org/goleak"

// IgnoreProbe returns an option to ignore the goroutine in which go-redis probes a server
// that does not answer: it looks only once a second whether its pool was closed.
func IgnoreProbe() goleak.Option {
	return goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial")
}
