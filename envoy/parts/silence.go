package parts

import "time"

// silence is how long a provider may send nothing.
//
// None of Envoy's timers knows that it does not read because the client does not: they run
// on while an answer is held back. So a client that may stop reading for longer than
// read_timeout needs a longer timer for the rest of an answer than for its head. Envoy
// has a timer that ends with the head, PerTryTimeout, but one for the rest only of the
// whole stream, which begins before the connection is made.
type silence struct {
	// head is before the answer, and without stream, between any two of its bytes too.
	head time.Duration
	// stream is at any time of an attempt; 0 is no limit.
	stream time.Duration
}

// silenceOf is that of attempts with an idle timeout (read_timeout).
func silenceOf(idle time.Duration, c Config) silence {
	if idle >= c.SendTimeout {
		return silence{head: idle}
	}
	var connect time.Duration
	for _, u := range c.Upstreams {
		connect = max(connect, u.ConnectTimeout)
	}
	return silence{head: idle, stream: max(c.SendTimeout, connect+idle)}
}
