package harness

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/cli"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
)

// Options say how semlb is started.
type Options struct {
	// Config is the text of the configuration file; see [Config].
	Config string
	// Flags are added to the command line.
	Flags []string
	// Own says that the configuration's embeddings and store are used, instead of
	// the built-in model and memory.
	Own bool
	// Env are environment variables; the process's own are not seen.
	Env map[string]string
}

// Semlb is a running `semlb run`.
type Semlb struct {
	// URL is where Envoy listens, Status where metrics and health are served.
	URL, Status string

	t      testing.TB
	cancel context.CancelFunc
	ready  chan struct{} // closed
	done   chan struct{}
	code   int
	stdout output
	stderr output
	stop   sync.Once
}

// Start is Launch, and then waits until semlb is ready.
func Start(t testing.TB, o Options) *Semlb {
	t.Helper()
	s := Launch(t, o)
	s.AwaitReady()
	return s
}

// Launch starts semlb with an Envoy of its own. It is stopped when the test ends, and
// then must have exited with status 0.
func Launch(t testing.TB, o Options) *Semlb {
	t.Helper()
	listen, status := FreeAddress(t), FreeAddress(t)
	args := []string{
		"run", "-c", WriteConfig(t, o.Config), "--listen", listen, "--status", status,
		"--envoy", Envoy(t), "--hop", Hop(), "--admin", "off", "--log-level", "debug",
	}
	if !o.Own {
		args = append(args, "--embeddings", "builtin", "--vectordb", "memory")
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Semlb{URL: "http://" + listen, Status: "http://" + status, t: t, cancel: cancel, done: make(chan struct{})}
	s.ready = make(chan struct{})
	s.stdout.seen = s.ready
	go func() {
		defer close(s.done)
		s.code = cli.Main(ctx, append(args, o.Flags...), environment(o.Env, &s.stdout, &s.stderr))
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("semlb's log:\n%s", tail(s.Log()))
		}
	})
	t.Cleanup(s.Stop)
	return s
}

// AwaitReady waits until semlb says that it is ready.
func (s *Semlb) AwaitReady() {
	s.t.Helper()
	select {
	case <-s.ready:
	case <-s.done:
		s.t.Fatalf("semlb exited with status %d before it was ready:\n%s", s.code, s.Log())
	case <-time.After(startTimeout):
		s.t.Fatalf("semlb was not ready within %s:\n%s", startTimeout, s.Log())
	}
}

// Stop ends semlb as Ctrl-C does and waits for it. The test fails unless it exits
// with status 0 in time. A second call does nothing.
func (s *Semlb) Stop() {
	s.t.Helper()
	s.stop.Do(func() {
		s.cancel()
		select {
		case <-s.done:
			if s.code != 0 {
				s.t.Errorf("semlb exited with status %d, want 0:\n%s", s.code, tail(s.Log()))
			}
		case <-time.After(stopTimeout):
			s.t.Errorf("semlb did not stop within %s", stopTimeout)
		}
	})
}

// Context ends with the test.
func (s *Semlb) Context() context.Context { return s.t.Context() }

// Exited is closed when semlb has ended, of whatever cause.
func (s *Semlb) Exited() <-chan struct{} { return s.done }

// Log is what semlb has written to stderr so far.
func (s *Semlb) Log() string { return s.stderr.String() }

// Stdout is what semlb has written to stdout so far.
func (s *Semlb) Stdout() string { return s.stdout.String() }

// Result is what a command came to.
type Result struct {
	Code           int
	Stdout, Stderr string
	Took           time.Duration
}

// Command runs a command line of semlb that ends by itself.
func Command(t testing.TB, env map[string]string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	var stdout, stderr output
	start := time.Now()
	code := cli.Main(ctx, args, environment(env, &stdout, &stderr))
	require.NoError(t, ctx.Err(), "the command ended only because it was stopped: %s", stderr.String())
	return Result{Code: code, Stdout: stdout.String(), Stderr: stderr.String(), Took: time.Since(start)}
}

// WriteConfig writes the text of a configuration to a file that lives as long as
// the test.
func WriteConfig(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kong.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func environment(env map[string]string, stdout, stderr *output) cli.Environment {
	env = maps.Clone(env)
	return cli.Environment{Stdout: stdout, Stderr: stderr, LookupEnv: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}}
}

// output gathers what is written to it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen chan struct{} // closed at a line "ready"; nil if nobody waits for it
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	if o.seen != nil && strings.HasPrefix(o.text.String(), "ready\n") {
		close(o.seen)
		o.seen = nil
	}
	return n, err
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// tail is the end of a log that may be very long.
func tail(log string) string {
	const most = 8000
	if len(log) > most {
		return "…" + log[len(log)-most:]
	}
	return log
}
