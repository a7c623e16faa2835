package soak_test

import (
	"context"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"semlb/test/harness"
)

// sample is what semlb and its Envoy take at a time.
type sample struct {
	at time.Duration // since the start
	// semlb and envoy are resident memory, live is what the last garbage collection left
	// on semlb's heap, in MiB.
	semlb, live, envoy, goroutines, files float64
	life                                  int // which Envoy: it was killed so often
}

// rest is a sample with no request under way, and what came before it.
type rest struct {
	sample
	requests, reloads int
}

const (
	// connections is by how much goroutines and files of semlb may differ between two
	// times of rest: each of Envoy's two threads opens a stream for each of its two access
	// logs when it first has something to say, which is two goroutines here.
	connections = 8
	// mostPerRequest are the bytes on the heap that a request may leave behind. One in
	// fifty leaves its prompt's vector in the cache.
	mostPerRequest = 8 << 10
	// settled is how long nothing may have ended before semlb counts as being at rest. What
	// a reload replaced is swept every five seconds.
	settled = 6 * time.Second
)

// rest waits until no goroutine ends and no file is closed any more.
func (s *soak) rest() rest {
	var lowest sample
	for since := time.Now(); time.Since(since) < settled; time.Sleep(50 * time.Millisecond) {
		now, err := s.sample()
		if err == nil && (lowest.goroutines == 0 || now.goroutines+now.files < lowest.goroutines+lowest.files) {
			lowest, since = now, time.Now()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return rest{sample: lowest, requests: s.sent + s.malformed, reloads: s.faults[reloaded]}
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
	families, err := s.metrics()
	if err != nil {
		return sample{}, err
	}
	gauge := func(name string) float64 { return sum(families[name], "") }
	pid, err := s.child()
	if err != nil {
		return sample{}, err
	}
	envoy, err := harness.Resident(pid)
	const mib = 1 << 20
	s.mu.Lock()
	defer s.mu.Unlock()
	return sample{
		// A collection is due when the heap has grown by as much as the last one left.
		semlb: gauge("process_resident_memory_bytes") / mib, live: gauge("go_memstats_next_gc_bytes") / 2 / mib,
		goroutines: gauge("go_goroutines"), files: gauge("process_open_fds"), envoy: envoy / mib, life: len(s.envoy),
	}, err
}

func (s *soak) metrics() (map[string]*dto.MetricFamily, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.status+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(response.Body)
}

// metric is a counter's value for one label value.
func (s *soak) metric(name, label string) (float64, error) {
	families, err := s.metrics()
	if err != nil {
		return 0, err
	}
	return sum(families[name], label), nil
}

// sum adds the series of a family that have a label of a value, or with "" all.
func sum(f *dto.MetricFamily, label string) float64 {
	total := 0.0
	for _, m := range f.GetMetric() {
		has := label == ""
		for _, pair := range m.GetLabel() {
			has = has || pair.GetValue() == label
		}
		if has {
			total += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return total
}

// trendOf is the trend of a value per hour.
func trendOf(samples []sample, value func(sample) float64) harness.Trend {
	return harness.TrendOf(samples, func(s sample) float64 { return s.at.Hours() }, value)
}
