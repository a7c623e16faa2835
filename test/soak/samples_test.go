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
	// semlb and envoy are resident memory, in MiB.
	semlb, heap, envoy, goroutines, files float64
	life                                  int // which Envoy: it was killed so often
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
		semlb: gauge("process_resident_memory_bytes") / mib, heap: gauge("go_memstats_heap_inuse_bytes") / mib,
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

// after are the samples later than a time.
func after(samples []sample, d time.Duration) []sample {
	for i, s := range samples {
		if s.at >= d {
			return samples[i:]
		}
	}
	return nil
}
