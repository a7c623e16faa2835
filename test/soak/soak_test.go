package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// TestSoak sends planned requests, one in twenty of them malformed, while the
// configuration changes and Redis, the embedder and Envoy are restarted. Nothing may
// go where it should not, no request that a target could have served may be lost, and
// memory and goroutines may not grow.
//
// Growth is checked in two ways. Twice the load pauses until semlb is idle: leaks
// of requests and reloads in between show after seconds, so a run of CI finds them. Over ten minutes and more the trend is checked as well.
func TestSoak(t *testing.T) {
	duration := 20 * time.Second
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		duration, err = time.ParseDuration(text)
		require.NoError(t, err, "SOAK")
	}
	s := newSoak(t)
	start := time.Now()
	s.run(t, start, duration/3)
	before := s.rest()
	samples := s.run(t, start, duration-duration/3)
	after := s.rest()
	report := s.summary(time.Since(start), samples) + between(before, after)
	t.Log("\n" + report)
	if file := os.Getenv("SOAK_REPORT"); file != "" {
		require.NoError(t, os.WriteFile(file, []byte(report), 0o644))
	}
	if len(s.wrong) > 0 {
		t.Errorf("%d things went wrong, the first ones:\n%s", len(s.wrong), strings.Join(s.wrong[:min(40, len(s.wrong))], "\n"))
	}
	require.NotZero(t, s.answered)
	require.NotZero(t, s.moved)
	if after.goroutines > before.goroutines+connections {
		t.Error(s.dump())
	}
	requireReleased(t, before, after)
	if duration >= 10*time.Minute {
		requireFlat(t, samples)
	}
	_, status := s.semlb.Stop(time.Minute)
	require.Zero(t, status)
}

// run sends requests and disturbs them for a time. The samples count from start.
func (s *soak) run(t *testing.T, start time.Time, duration time.Duration) []sample {
	ctx, cancel := context.WithTimeout(context.Background(), duration)
	defer cancel()
	calm := time.Now().Add(duration / 2)
	clients := s.clients()
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				id := int(s.next.Add(1))
				s.one(clients, id)
				sleep(ctx, think/2+rand.N(think))
			}
		})
	}
	var disturbed error
	all.Go(func() { disturbed = s.disturb(ctx, min(30*time.Second, duration/8), calm) })
	var samples []sample
	all.Go(func() { samples = s.watch(ctx, start, min(5*time.Second, duration/7)) })
	all.Wait()
	for _, client := range clients {
		client.CloseIdleConnections()
	}
	require.NoError(t, disturbed)
	return samples
}

// requireReleased checks that the requests and reloads between two times of rest have left
// nothing behind.
func requireReleased(t *testing.T, before, after rest) {
	t.Helper()
	requests := after.requests - before.requests
	require.GreaterOrEqual(t, requests, 100, "requests: too few to show a leak")
	require.Positive(t, after.reloads-before.reloads, "reloads")
	require.LessOrEqual(t, after.goroutines, before.goroutines+connections, "goroutines after %d more requests", requests)
	require.LessOrEqual(t, after.files, before.files+connections, "open files after %d more requests", requests)
	grown := (after.live - before.live) * (1 << 20) / float64(requests)
	require.Less(t, grown, float64(mostPerRequest), "bytes that stay on the heap per request")
}

// requireFlat checks that nothing grows over a long run. The limits are rises over the
// whole of the samples, twice what the runs of docs/soak.md saw or more, so the longer
// the run the less a leak can hide.
func requireFlat(t *testing.T, samples []sample) {
	t.Helper()
	rise := func(samples []sample, value func(sample) float64) float64 {
		return trendOf(samples, value).Slope * (samples[len(samples)-1].at - samples[0].at).Hours()
	}
	require.Less(t, rise(samples, func(s sample) float64 { return s.goroutines }), 2.0, "goroutines")
	require.Less(t, rise(samples, func(s sample) float64 { return s.files }), 2.0, "open files")
	require.Less(t, rise(samples, func(s sample) float64 { return s.semlb }), 6.0, "MiB of semlb")
	// A new Envoy grows for some minutes: its threads' allocators fill.
	last := ofLife(samples, samples[len(samples)-1].life)
	require.Less(t, rise(last[len(last)/2:], func(s sample) float64 { return s.envoy }), 12.0, "MiB of the last Envoy, in the second half of its life")
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
	fmt.Fprintf(&b, "- as planned: %d answers, %d of them after more than one attempt, %d streams\n", s.answered, s.moved, s.streams)
	fmt.Fprintf(&b, "- %d of these went to the default group while the embedder was away or its breaker open\n", s.degraded)
	fmt.Fprintf(&b, "- %d requests failed because Envoy was killed while it had them, or before it was back\n", s.duringEnvoy)
	fmt.Fprintf(&b, "- **wrong or lost: %d**\n", len(s.wrong))
	for _, name := range sortedKeys(s.faults) {
		fmt.Fprintf(&b, "- %s: %d times\n", name, s.faults[name])
	}
	for i, o := range s.envoy {
		fmt.Fprintf(&b, "- Envoy %d was away for %s\n", i+1, o.until.Sub(o.from).Round(time.Millisecond))
	}
	if len(samples) < 2 {
		return b.String()
	}
	fmt.Fprintf(&b, "\nFrom %s on, %d samples:\n\n| | first | last | mean | slope per hour |\n|---|---|---|---|---|\n", samples[0].at.Round(time.Second), len(samples))
	row(&b, "goroutines of semlb", samples, func(s sample) float64 { return s.goroutines })
	row(&b, "open files of semlb", samples, func(s sample) float64 { return s.files })
	row(&b, "resident memory of semlb, MiB", samples, func(s sample) float64 { return s.semlb })
	row(&b, "live Go heap, MiB", samples, func(s sample) float64 { return s.live })
	for life := range len(s.envoy) + 1 {
		own := ofLife(samples, life)
		row(&b, fmt.Sprintf("resident memory of Envoy %d, MiB", life+1), own, func(s sample) float64 { return s.envoy })
		if life == len(s.envoy) {
			row(&b, "… in the second half of its life", own[len(own)/2:], func(s sample) float64 { return s.envoy })
		}
	}
	return b.String()
}

// between is what two times of rest differ in, as Markdown.
func between(before, after rest) string {
	return fmt.Sprintf("\nAt rest, before and after %d requests and %d reloads: %.0f and %.0f goroutines, %.0f and %.0f open files, %.1f and %.1f MiB of live heap.\n",
		after.requests-before.requests, after.reloads-before.reloads, before.goroutines, after.goroutines, before.files, after.files, before.live, after.live)
}

func row(b *strings.Builder, name string, samples []sample, value func(sample) float64) {
	if t := trendOf(samples, value); t.N > 1 {
		fmt.Fprintf(b, "| %s | %.1f | %.1f | %.1f | %+.1f |\n", name, t.First, t.Last, t.Mean, t.Slope)
	}
}

func sortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
