package soak_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"semlb/test/harness"
	"semlb/test/process"
)

// sample is what semlb and its Envoy take at a time.
type sample struct {
	at time.Duration // since the start
	// semlb and envoy are resident memory, live is what the last garbage collection left
	// on semlb's heap, in MiB.
	semlb, live, envoy, goroutines, files float64
	life                                  int // which Envoy: it was killed so often
}

// rest is a sample with no request in flight, and what came before it.
type rest struct {
	sample
	requests, reloads int
}

const (
	// connections is by how much goroutines and files of semlb may differ between two
	// times of rest: each of Envoy's two threads opens a stream for each of its two access
	// logs with the first entry, which is two goroutines here.
	connections = 8
	// mostPerRequest are the bytes on the heap that a request may leave behind. In short
	// runs it is mostly noise: what was under way at the last collection differs by up to
	// 4 MiB, over some 450 requests.
	mostPerRequest = 16 << 10
	// settled is how long nothing may have ended before semlb counts as being at rest. What
	// a reload replaced serves the decisions that have begun, ends five seconds later, and is
	// looked for every five seconds.
	settled = decisionBudget + 11*time.Second
	// decisionBudget is more than a decision takes on any machine.
	decisionBudget = 10 * time.Second
)

// rest waits until no goroutine ends and no file is closed any more.
func (s *soak) rest() rest {
	s.embedder.closeIdle()
	var lowest sample
	begun := time.Now()
	for since := begun; time.Since(since) < settled; time.Sleep(50 * time.Millisecond) {
		now, err := s.sample()
		if err == nil && (lowest.goroutines == 0 || now.goroutines+now.files < lowest.goroutines+lowest.files) {
			lowest, since = now, time.Now()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.embedded { // healing goes on when requests do: they probe the breaker
		s.embedded[i].until = s.embedded[i].until.Add(time.Since(begun))
	}
	return rest{sample: lowest, requests: s.sent + s.malformed, reloads: s.faults[reloaded]}
}

// dump ends semlb, and returns how many goroutines it had of each function that starts
// them.
func (s *soak) dump() string {
	s.semlb.Signal(syscall.SIGQUIT) // the Go runtime writes all stacks to stderr
	s.semlb.Await(time.Minute)
	started := make(map[string]int)
	for line := range strings.Lines(s.semlb.Log()) {
		if by, ok := strings.CutPrefix(line, "created by "); ok {
			by, _, _ = strings.Cut(by, " in goroutine")
			started[strings.TrimSpace(by)]++
		}
	}
	var b strings.Builder
	b.WriteString("goroutines, by what started them:")
	for _, by := range sortedKeys(started) {
		fmt.Fprintf(&b, "\n%4d %s", started[by], by)
	}
	return b.String()
}

// watch takes samples until ctx ends.
func (s *soak) watch(ctx context.Context, start time.Time, every time.Duration) []sample {
	var all []sample
	for sleep(ctx, every) {
		if one, err := s.sample(); err == nil { // Envoy may be away
			one.at = time.Since(start)
			all = append(all, one)
		}
	}
	return all
}

func (s *soak) sample() (sample, error) {
	metrics, err := s.metrics()
	if err != nil {
		return sample{}, err
	}
	pid, err := s.child()
	if err != nil {
		return sample{}, err
	}
	envoy, err := process.Resident(pid)
	const mib = 1 << 20
	s.mu.Lock()
	defer s.mu.Unlock()
	return sample{
		// A collection is due when the heap has grown by as much as the last one left.
		semlb: metrics.Sum("process_resident_memory_bytes") / mib, live: metrics.Sum("go_memstats_next_gc_bytes") / 2 / mib,
		goroutines: metrics.Sum("go_goroutines"), files: metrics.Sum("process_open_fds"), envoy: envoy / mib, life: len(s.envoy),
	}, err
}

func (s *soak) metrics() (harness.Metrics, error) {
	return harness.Scrape(context.Background(), s.Status+"/metrics")
}

// metric is the value of a metric, as harness.Metrics.Sum has it.
func (s *soak) metric(name string, labels ...string) (float64, error) {
	metrics, err := s.metrics()
	return metrics.Sum(name, labels...), err
}

// trendOf is the trend of a value per hour.
func trendOf(samples []sample, value func(sample) float64) harness.Trend {
	return harness.TrendOf(samples, func(s sample) float64 { return s.at.Hours() }, value)
}
