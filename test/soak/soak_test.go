package soak_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestSoak sends planned requests, one in twenty of them malformed, while the
// configuration changes and Redis, the embedder and Envoy are restarted. Nothing may
// go where it should not, no request that a target could have served may be lost, and
// memory and goroutines may not grow.
func TestSoak(t *testing.T) {
	duration := 10 * time.Second
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		duration, err = time.ParseDuration(text)
		require.NoError(t, err, "SOAK")
	}
	s := newSoak(t)
	start := time.Now()
	samples := s.run(t, duration)
	report := s.summary(time.Since(start), samples)
	t.Log("\n" + report)
	if file := os.Getenv("SOAK_REPORT"); file != "" {
		require.NoError(t, os.WriteFile(file, []byte(report), 0o644))
	}
	if len(s.wrong) > 0 {
		t.Errorf("%d things went wrong, the first ones:\n%s", len(s.wrong), strings.Join(s.wrong[:min(40, len(s.wrong))], "\n"))
	}
	require.NotZero(t, s.answered)
	require.NotZero(t, s.moved)
	_, status := s.semlb.Stop(20 * time.Second)
	require.Zero(t, status)
	if duration >= 10*time.Minute {
		requireFlat(t, after(samples, duration/5))
	}
}

// run lets everything go on for a time.
func (s *soak) run(t *testing.T, duration time.Duration) []sample {
	ctx, cancel := context.WithTimeout(context.Background(), duration)
	defer cancel()
	start := time.Now()
	clients := s.clients()
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				id := int(next.Add(1))
				s.one(clients, id)
				sleep(ctx, think/2+time.Duration(number(int(think), id, 9)))
			}
		})
	}
	var disturbed error
	calm := start.Add(duration * 2 / 3)
	all.Go(func() { disturbed = s.disturb(ctx, min(30*time.Second, duration/12), calm) })
	var samples []sample
	all.Go(func() { samples = s.watch(ctx, start, min(5*time.Second, duration/10)) })
	all.Wait()
	require.NoError(t, disturbed)
	return samples
}

// requireFlat says that what is left when the process is warm does not grow.
func requireFlat(t *testing.T, warm []sample) {
	t.Helper()
	goroutines := trendOf(warm, func(s sample) float64 { return s.goroutines })
	require.Less(t, goroutines.Slope, .2*goroutines.Mean, "goroutines per hour")
	files := trendOf(warm, func(s sample) float64 { return s.files })
	require.Less(t, files.Slope, .2*files.Mean+5, "open files per hour")
	memory := trendOf(warm, func(s sample) float64 { return s.semlb })
	require.Less(t, memory.Slope, .3*memory.Mean, "MiB of semlb per hour")
	// A new Envoy grows for some minutes: its threads' allocators fill.
	last := ofLife(warm, warm[len(warm)-1].life)
	envoy := trendOf(last[len(last)/2:], func(s sample) float64 { return s.envoy })
	require.Less(t, envoy.Slope, envoy.Mean, "MiB of the last Envoy per hour, in the second half of its life")
}

// ofLife are the samples of one Envoy.
func ofLife(samples []sample, life int) []sample {
	return slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return s.life != life })
}

// summary is what was seen, as Markdown.
func (s *soak) summary(took time.Duration, samples []sample) string {
	var b strings.Builder
	fmt.Fprintf(&b, "- %s on Envoy %s (hop %s), %s, %s/%s, %d cores; %d workers over HTTP/1 and HTTP/2\n", took.Round(time.Second),
		harness.EnvoyVersion(), harness.Hop(), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), workers)
	fmt.Fprintf(&b, "- requests: %d planned and %d malformed, %.0f a second; %d deliveries to targets were compared\n",
		s.sent, s.malformed, float64(s.sent+s.malformed)/took.Seconds(), s.deliveries)
	fmt.Fprintf(&b, "- as planned: %d answers, %d of them after more than one target was asked, %d streams\n", s.answered, s.moved, s.streams)
	fmt.Fprintf(&b, "- %d of these went to the default group while the embedder was away or its breaker open\n", s.degraded)
	fmt.Fprintf(&b, "- %d requests failed because Envoy was killed while it had them, or before it was back\n", s.duringEnvoy)
	fmt.Fprintf(&b, "- **wrong or lost: %d**\n", len(s.wrong))
	for _, name := range sortedKeys(s.faults) {
		fmt.Fprintf(&b, "- %s: %d times\n", name, s.faults[name])
	}
	for i, o := range s.envoy {
		fmt.Fprintf(&b, "- Envoy %d was away for %s\n", i+1, o.until.Sub(o.from).Round(time.Millisecond))
	}
	if warm := after(samples, took/5); len(warm) > 1 {
		fmt.Fprintf(&b, "\nFrom %s on, %d samples:\n\n| | first | last | mean | slope per hour |\n|---|---|---|---|---|\n", (took / 5).Round(time.Second), len(warm))
		row(&b, "goroutines of semlb", trendOf(warm, func(s sample) float64 { return s.goroutines }))
		row(&b, "open files of semlb", trendOf(warm, func(s sample) float64 { return s.files }))
		row(&b, "resident memory of semlb, MiB", trendOf(warm, func(s sample) float64 { return s.semlb }))
		row(&b, "Go heap in use, MiB", trendOf(warm, func(s sample) float64 { return s.heap }))
		for life := range len(s.envoy) + 1 {
			own := ofLife(samples, life)
			row(&b, fmt.Sprintf("resident memory of Envoy %d, MiB", life+1), trendOf(own, func(s sample) float64 { return s.envoy }))
			if life == len(s.envoy) {
				row(&b, "… in the second half of its life", trendOf(own[len(own)/2:], func(s sample) float64 { return s.envoy }))
			}
		}
	}
	return b.String()
}

func row(b *strings.Builder, name string, t harness.Trend) {
	fmt.Fprintf(b, "| %s | %.1f | %.1f | %.1f | %+.1f |\n", name, t.First, t.Last, t.Mean, t.Slope)
}

func sortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
