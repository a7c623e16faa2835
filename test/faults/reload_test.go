package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
)

// version is a configuration in which every part tells its number.
func (w *world) version(n int) string {
	return w.configuration(options{plugin: func(p *harness.Plugin) {
		for i := range p.Targets[:2] {
			t := &p.Targets[i]
			t.Model = fmt.Sprintf("v%d-%d", n, i)
			t.Authorization = fmt.Sprintf("Bearer key-%d-%d", n, i)
			t.Options = map[string]any{"max_tokens": n + 1}
		}
	}})
}

// requireVersion says that all parts of an attempt are of one version.
func requireVersion(got harness.Received, target int) (version int, err error) {
	var options int
	model := between(string(got.Body), `"model":"v`, `-`)
	if _, err := fmt.Sscan(model, &version); err != nil {
		return 0, fmt.Errorf("model in %s: %w", got.Body, err)
	}
	if _, err := fmt.Sscan(between(string(got.Body), `"max_tokens":`, ","), &options); err != nil || options != version+1 {
		return 0, fmt.Errorf("options of version %d in %s", version, got.Body)
	}
	if want := fmt.Sprintf("Bearer key-%d-%d", version, target); got.Header.Get("Authorization") != want {
		return 0, fmt.Errorf("the key of version %d is %q", version, got.Header.Get("Authorization"))
	}
	return version, nil
}

func between(text, begin, end string) string {
	_, text, _ = strings.Cut(text, begin)
	text, _, _ = strings.Cut(text, end)
	return text
}

func TestFault18Reloads(t *testing.T) {
	reloads := 200
	if text := os.Getenv("SEMLB_RELOADS"); text != "" {
		var err error
		reloads, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	r := begin(t, fmt.Sprintf("%d reloads (SEMLB_RELOADS) under load, in turn: in place, unknown field, cut, by swapping a symbolic link", reloads))
	d := deploy(t, options{})
	// The file becomes what Kubernetes makes of a ConfigMap: a link to a link.
	dir := t.TempDir()
	swap := func(n int, text string) {
		target, link := filepath.Join(dir, fmt.Sprintf("kong-%d.yaml", n)), filepath.Join(dir, "link")
		require.NoError(t, os.WriteFile(target, []byte(text), 0o600))
		require.NoError(t, os.Symlink(target, link))
		require.NoError(t, os.Rename(link, d.file))
	}
	d.cook1.Do(harness.Status(http.StatusTooManyRequests))
	good, requests := -1, 0
	var heap []float64
	begun := time.Now()
	d.survivesReload(func(load *load) {
		for i := range reloads {
			text := d.version(i)
			before := d.reloads()
			switch i % 4 {
			case 0:
				require.NoError(t, os.WriteFile(d.file, []byte(text), 0o600))
				good = i
			case 1:
				require.NoError(t, os.WriteFile(d.file, []byte(strings.Replace(text, "algorithm:", "algoritm:", 1)), 0o600))
			case 2:
				require.NoError(t, os.WriteFile(d.file, []byte(text[:len(text)/2]), 0o600))
			case 3:
				swap(i, text)
				good = i
			}
			d.signal(syscall.SIGHUP)
			require.Eventually(t, func() bool { return d.reloads() > before }, waitLimit, 4*time.Millisecond, "reload %d", i)
			if i == reloads/4 || i == reloads-1 {
				heap = append(heap, d.metric("process_resident_memory_bytes")/(1<<20))
			}
		}
		requests = load.end()
	})
	took := time.Since(begun)
	answer := d.post(harness.Chat(cooking, `"max_tokens":1`, `"model":"x"`))
	require.Equal(t, fmt.Sprintf("openai/v%d-1", good), answer.Header.Get("X-Kong-Llm-Model"), "the last good one")
	applied, refused := d.metric("semlb_reloads_total", "result", "applied"), d.metric("semlb_reloads_total", "result", "refused")
	require.GreaterOrEqual(t, applied, float64(reloads/2))
	require.GreaterOrEqual(t, refused, float64(reloads/2)-5) // a cut file may be seen together with the next one
	require.Positive(t, d.logs("reload refused, the last good configuration stays in force"))
	d.requireReady()
	require.Less(t, heap[1]-heap[0], 64.0, "MiB of resident memory from reload %d to %d", reloads/4, reloads)
	r.saw("%.0f applied, %.0f refused in %s; %d requests, all 200, each of one version; memory %.0f to %.0f MiB",
		applied, refused, took.Round(time.Second), requests, heap[0], heap[1])
}

// reloads counts them, without reading every other metric.
func (w *world) reloads() int {
	w.t.Helper()
	_, page := w.page("/metrics")
	sum := 0
	for line := range strings.Lines(page) {
		var n int
		if strings.HasPrefix(line, "semlb_reloads_total{") {
			_, value, _ := strings.Cut(line, " ")
			_, err := fmt.Sscan(value, &n)
			require.NoError(w.t, err)
			sum += n
		}
	}
	return sum
}

// load sends requests until it is ended.
type load struct {
	w      *world
	stop   context.CancelFunc
	all    errgroup.Group
	mu     sync.Mutex
	served int
}

// survivesReload is survives for versions, whose good requests differ.
func (d *deployment) survivesReload(fault func(*load)) {
	d.t.Helper()
	before := d.atRest()
	ctx, cancel := context.WithCancel(d.t.Context())
	l := &load{w: d.world, stop: cancel}
	require.NoError(d.t, os.WriteFile(d.file, []byte(d.version(0)), 0o600))
	d.signal(syscall.SIGHUP)
	require.Eventually(d.t, func() bool { return d.reloads() > 0 }, waitLimit, waitStep)
	d.cook1.Reset()
	d.cook1.Do(harness.Status(http.StatusTooManyRequests))
	d.cook2.Reset()
	for range 3 {
		client := harness.NewClient(d.t, harness.HTTP1)
		l.all.Go(func() error {
			for ctx.Err() == nil {
				time.Sleep(10 * time.Millisecond) // leaves the machine to the reloads
				if err := l.ask(client); err != nil {
					return err
				}
			}
			return nil
		})
	}
	fault(l)
	d.client.CloseIdleConnections()
	// Configurations that were replaced stay for a minute, for requests under way.
	require.LessOrEqual(d.t, d.routines(), before+d.slack+3*256)
	d.requireVersions()
}

func (l *load) ask(client *http.Client) error {
	r := l.w.request(context.WithoutCancel(l.w.t.Context()), strings.NewReader(harness.Chat(cooking, `"max_tokens":1`, `"model":"x"`)))
	answer, err := harness.Send(client, r)
	if err == nil && answer.Status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", answer.Status, answer.Body)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served++
	return err
}

// end ends the load; no request may have failed.
func (l *load) end() int {
	l.stop()
	require.NoError(l.w.t, l.all.Wait())
	return l.served
}

// requireVersions says that each request saw one version from its first attempt to
// its last.
func (d *deployment) requireVersions() {
	d.t.Helper()
	versions := make(map[string]int)
	for _, got := range d.cook1.Requests() {
		version, err := requireVersion(got, 0)
		require.NoError(d.t, err)
		versions[got.Header.Get("X-Request-Id")] = version
	}
	second := d.cook2.Requests()
	require.NotEmpty(d.t, second)
	seen := make(map[int]bool)
	for _, got := range second {
		version, err := requireVersion(got, 1)
		require.NoError(d.t, err)
		require.Equal(d.t, versions[got.Header.Get("X-Request-Id")], version, "the attempts of one request")
		seen[version] = true
	}
	require.Greater(d.t, len(seen), 10, "versions that served")
}
