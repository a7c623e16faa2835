package faults_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"semlb/test/harness"
)

// load sends requests until it is ended.
type load struct {
	d    *deployment
	stop context.CancelFunc
	all  errgroup.Group
	// good is the version in force.
	good int
	// held waits at its first target from before the first change to after the last.
	held held

	mu sync.Mutex
	// models are the model headers of answers, by request ID.
	models map[string]string
}

// survivesReload is survives for versions, whose good requests differ.
func (d *deployment) survivesReload(files *configMap, fault func(*load)) {
	d.t.Helper()
	for range 3 { // connections are made by the first requests
		d.requireGood()
	}
	before := d.atRest()
	ctx, cancel := context.WithCancel(d.t.Context())
	l := &load{d: d, stop: cancel, models: make(map[string]string)}
	files.swap(d.version(0))
	d.serve.Signal(syscall.SIGHUP)
	d.awaitModel("openai/v0-0", cooking)
	l.holdOne()
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
	l.requireVersions()
	left := 0
	require.Eventually(d.t, func() bool { left = d.routines(); return left <= before+d.slack }, waitLimit, 100*time.Millisecond,
		"goroutines: %d before the reloads, now %v; those of replaced configurations end soon", before, lazily(func() string { return fmt.Sprint(left) }))
}

// patient is in the request that is held.
const patient = `"user":"patient"`

// holdOne sends a request whose first target hangs until the end; that of every other
// one refuses at once.
func (l *load) holdOne() {
	l.d.reset()
	l.held = held{release: make(chan struct{}), answers: make(chan harness.Answer, 1)}
	l.d.cook1.Do(func(x *harness.Exchange) {
		refuse := harness.Status(http.StatusTooManyRequests)
		if strings.Contains(string(x.Body()), patient) {
			refuse = after(l.held.release, refuse)
		}
		refuse(x)
	})
	client := harness.NewClient(l.d.t, harness.HTTP1)
	client.Timeout = 0
	request := l.d.request(context.WithoutCancel(l.d.t.Context()), strings.NewReader(harness.Chat(cooking, patient, `"max_tokens":1`, `"model":"x"`)))
	go func() {
		answer, err := harness.Send(client, request)
		if err != nil {
			answer.Body = err.Error()
		}
		l.held.answers <- answer
	}()
	l.d.cook1.Await(l.d.t, 1)
}

func (l *load) ask(client *http.Client) error {
	r := l.d.request(context.WithoutCancel(l.d.t.Context()), strings.NewReader(harness.Chat(cooking, `"max_tokens":1`, `"model":"x"`)))
	answer, err := harness.Send(client, r)
	if err == nil && answer.Status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", answer.Status, answer.Body)
	}
	l.note(answer)
	return err
}

func (l *load) note(answer harness.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.models[answer.Header.Get("X-Kong-Request-Id")] = answer.Header.Get("X-Kong-Llm-Model")
}

// end ends the load, the request that was held last; none may have failed.
func (l *load) end() (requests int) {
	l.stop()
	require.NoError(l.d.t, l.all.Wait())
	close(l.held.release)
	answer := <-l.held.answers
	require.Equal(l.d.t, http.StatusOK, answer.Status, answer.Body)
	require.Equal(l.d.t, servedBy(0), answer.Header.Get("X-Kong-Llm-Model"), "it finishes with its plan")
	l.note(answer)
	return len(l.models)
}

// requireVersions checks that each request saw one version, in its first attempt, its
// last, and its answer.
func (l *load) requireVersions() {
	t := l.d.t
	t.Helper()
	versions := make(map[string]int)
	for _, got := range l.d.cook1.Requests() {
		version, err := versionOf(got, 0)
		require.NoError(t, err)
		versions[got.Header.Get("X-Request-Id")] = version
	}
	second := l.d.cook2.Requests()
	require.Len(t, second, len(l.models))
	seen := make(map[int]bool)
	for _, got := range second {
		version, err := versionOf(got, 1)
		require.NoError(t, err)
		id := got.Header.Get("X-Request-Id")
		require.Equal(t, versions[id], version, "the attempts of one request")
		require.Equal(t, servedBy(version), l.models[id], "a request and its answer")
		seen[version] = true
	}
	require.Greater(t, len(seen), l.good/2, "versions that served")
}

// versionOf is the one version that all parts of an attempt are of.
func versionOf(got harness.Received, target int) (version int, err error) {
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
