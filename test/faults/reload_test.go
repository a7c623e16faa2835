package faults_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

const (
	// defaultReloads is what fits into half a minute of CI; `make faults` sets
	// SEMLB_RELOADS to 1,000.
	defaultReloads = 200
	// warmUp is the time until as many replaced configurations end as come.
	warmUp = 12 * time.Second
	// brokenEvery is how many changes come to one that is broken.
	brokenEvery = 10
)

// version is a configuration with its number in every part.
func (w *world) version(n int) string {
	return w.configuration(options{plugin: func(p *harness.Plugin) {
		p.ReadTimeout = int(10 * time.Minute / time.Millisecond)
		for i := range p.Targets[:2] {
			t := &p.Targets[i]
			t.Model = fmt.Sprintf("v%d-%d", n, i)
			t.Authorization = fmt.Sprintf("Bearer key-%d-%d", n, i)
			t.Options = map[string]any{"max_tokens": n + 1}
		}
	}})
}

// servedBy is the header of an answer by the second target of a version.
func servedBy(version int) string { return fmt.Sprintf("openai/v%d-1", version) }

func TestFault18Reloads(t *testing.T) {
	n := defaultReloads
	if text := os.Getenv("SEMLB_RELOADS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	r := begin(t, fmt.Sprintf("%d reloads (SEMLB_RELOADS) under load: in place, by renaming, by Kubernetes' swap; one in ten broken: unknown field, cut, swapped to either, file gone", n))
	d := deploy(t, options{})
	files := mount(t, d.file)
	begun := time.Now()
	var requests int
	var warm []sample
	d.survivesReload(files, func(l *load) {
		for i := 0; i < n || len(warm) < 10; i++ {
			l.change(files, i)
			if i%5 == 4 && time.Since(begun) > warmUp {
				warm = append(warm, d.sample(i))
			}
		}
		requests = l.end()
	})
	applied, refused := d.reloads()
	require.GreaterOrEqual(t, applied, n-n/brokenEvery)
	require.GreaterOrEqual(t, refused, n/brokenEvery)
	require.Positive(t, d.logs("reload refused, the last good configuration stays in force"))
	d.RequireReady()
	semlb, envoy := requireFlat(t, warm)
	r.saw("%d applied, %d refused in %s; %d requests, all 200, each of one version, and one that was planned by the first and moved on after the last; memory from %.0f to %.0f MiB (%+.1f KiB for each reload), Envoy's from %.0f to %.0f (%+.1f)",
		applied, refused, time.Since(begun).Round(time.Second), requests,
		semlb.First, semlb.Last, 1024*semlb.Slope, envoy.First, envoy.Last, 1024*envoy.Slope)
}

// change makes the i-th change, and requires a response by what is then in force.
func (l *load) change(files *configMap, i int) {
	d, text := l.d, l.d.version(i)
	applied, refused := d.reloads()
	broken := i%brokenEvery == brokenEvery-1
	if broken {
		spoil(files, text, i/brokenEvery)
	} else {
		[]func(string){files.write, files.replace, files.swap}[i%3](text)
		l.good = i
	}
	d.serve.Signal(syscall.SIGHUP)
	require.Eventually(d.t, func() bool {
		nowApplied, nowRefused := d.reloads()
		return broken && nowRefused > refused || !broken && nowApplied > applied
	}, waitLimit, 2*time.Millisecond, "change %d", i)
	answer := d.post(harness.Chat(cooking, `"max_tokens":1`, `"model":"x"`))
	require.Equal(d.t, servedBy(l.good), answer.Header.Get("X-Kong-Llm-Model"), "what is in force after change %d", i)
	l.note(answer)
}

// spoil makes the n-th broken change.
func spoil(files *configMap, text string, n int) {
	unknown, cut := strings.Replace(text, "algorithm:", "algoritm:", 1), text[:len(text)/2]
	switch n % 5 {
	case 0:
		files.write(unknown)
	case 1:
		files.write(cut)
	case 2:
		files.swap(unknown)
	case 3:
		files.swap(cut)
	case 4:
		files.lose()
	}
}

// reloads counts them, without reading every other metric.
func (w *world) reloads() (applied, refused int) {
	w.t.Helper()
	page := w.Page("/metrics").Body
	for result, n := range map[string]*int{"applied": &applied, "refused": &refused} {
		_, value, found := strings.Cut(page, fmt.Sprintf("semlb_reloads_total{result=%q} ", result))
		require.True(w.t, found)
		_, err := fmt.Sscan(value, n)
		require.NoError(w.t, err)
	}
	return applied, refused
}

// sample is what memory is after a number of reloads, in MiB: semlb's and Envoy's
// resident one, and the heap that semlb's garbage collector aims at, which is twice
// what is alive.
type sample struct{ reloads, semlb, heap, envoy float64 }

func (d *deployment) sample(reloads int) sample {
	d.t.Helper()
	s := sample{reloads: float64(reloads), heap: d.metric("go_memstats_next_gc_bytes") / (1 << 20)}
	for pid, value := range map[int]*float64{d.serve.PID(): &s.semlb, d.envoy.PID(): &s.envoy} {
		bytes, err := process.Resident(pid)
		require.NoError(d.t, err)
		*value = bytes / (1 << 20)
	}
	return s
}

// requireFlat checks that memory does not rise with the number of reloads by more than
// what a garbage collector leaves at one time and not at another.
func requireFlat(t *testing.T, warm []sample) (semlb, envoy harness.Trend) {
	t.Helper()
	reloads := func(s sample) float64 { return s.reloads }
	span := warm[len(warm)-1].reloads - warm[0].reloads
	flat := func(what string, most float64, value func(sample) float64) harness.Trend {
		trend := harness.TrendOf(warm, reloads, value)
		require.Less(t, trend.Slope*span, most, "MiB that %s rises in %.0f reloads: %v", what, span, warm)
		return trend
	}
	flat("the heap", 16, func(s sample) float64 { return s.heap })
	return flat("semlb", 16, func(s sample) float64 { return s.semlb }), flat("Envoy", 8, func(s sample) float64 { return s.envoy })
}

// awaitModel sends requests until a model answers, and returns how long that took.
func (w *world) awaitModel(model, prompt string) time.Duration {
	w.t.Helper()
	begun := time.Now()
	require.Eventually(w.t, func() bool {
		answer := w.post(chat(prompt))
		require.Equal(w.t, http.StatusOK, answer.Status, answer.Body)
		return answer.Header.Get("X-Kong-Llm-Model") == model
	}, waitLimit, time.Millisecond, "an answer by %s", model)
	return time.Since(begun)
}
