package router

import "time"

// stopwatch measures stages that follow each other: one reading of the clock ends a
// stage and begins the next.
type stopwatch time.Duration

// epoch is what readings are relative to. time.Since reads the monotonic clock only.
var epoch = time.Now()

func startWatch() stopwatch { return stopwatch(time.Since(epoch)) }

// lap returns the time since the last reading.
func (w *stopwatch) lap() time.Duration {
	now := startWatch()
	stage := time.Duration(now - *w)
	*w = now
	return stage
}
