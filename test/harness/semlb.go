package harness

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"semlb/cli"
	"semlb/test/process"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 2 * time.Minute
)

// Options describe how semlb is started.
type Options struct {
	// Config is the text of the configuration file; see [Config].
	Config string
	// Flags are added to the command line.
	Flags []string
	// Own uses the embeddings and the store of the configuration, instead of the built-in
	// model and memory.
	Own bool
	// Env are all environment variables that semlb reads.
	Env map[string]string
	// Now is semlb's clock; nil is time.Now.
	Now func() time.Time
}

// Semlb is a running `semlb run`.
type Semlb struct {
	*Gateway

	cancel context.CancelFunc
	done   chan struct{} // closed when semlb has exited
	code   int           // its exit code then
	stdout process.Log
	stderr process.Log
	stop   sync.Once
}

// Start is [Launch] followed by [Semlb.AwaitReady].
func Start(t testing.TB, o Options) *Semlb {
	t.Helper()
	s := Launch(t, o)
	s.AwaitReady()
	return s
}

// Launch starts semlb with its own Envoy. It is stopped when the test ends, which
// fails unless it exits with status 0.
func Launch(t testing.TB, o Options) *Semlb {
	t.Helper()
	listen, status := FreeAddress(t), FreeAddress(t)
	args := []string{
		"run", "-c", WriteConfig(t, o.Config), "--listen", listen, "--status", status,
		"--envoy", Envoy(t), "--hop", Hop(), "--admin", "off", "--log-level", "debug",
		"--decision-budget", "10s", // far above what a loaded machine is late
		"--send-timeout", "0", // a stalled stream ends after read_timeout
	}
	if !o.Own {
		args = append(args, "--embeddings", "builtin", "--vectordb", "memory")
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Semlb{Gateway: NewGateway(t, listen, status), cancel: cancel, done: make(chan struct{})}
	env := environment(o.Env, &s.stdout, &s.stderr)
	env.Now = o.Now
	go func() {
		defer close(s.done)
		s.code = cli.Main(ctx, append(args, o.Flags...), env)
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("semlb's log:\n%s", s.stderr.Tail())
		}
	})
	t.Cleanup(s.Stop)
	return s
}

// AwaitReady waits until semlb prints that it is ready.
func (s *Semlb) AwaitReady() {
	s.t.Helper()
	for deadline := time.After(startTimeout); !strings.HasPrefix(s.Stdout(), "ready\n"); {
		select {
		case <-s.done:
			s.t.Fatalf("semlb exited with status %d before it was ready:\n%s", s.code, s.Log())
		case <-deadline:
			s.t.Fatalf("semlb was not ready within %s:\n%s", startTimeout, s.Log())
		case <-time.After(2 * time.Millisecond):
		}
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
				s.t.Errorf("semlb exited with status %d, want 0:\n%s", s.code, s.stderr.Tail())
			}
		case <-time.After(stopTimeout):
			s.t.Errorf("semlb did not stop within %s", stopTimeout)
		}
		s.checkLog()
	})
}

// checkLog fails the test if a line of a log in JSON has a key twice.
func (s *Semlb) checkLog() {
	for line := range strings.Lines(s.Log()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil && strings.HasPrefix(line, "{") {
			s.t.Errorf("a line of the log: %v: %s", err, line)
		}
	}
}

// Context is the test's context.
func (s *Semlb) Context() context.Context { return s.t.Context() }

// Log returns stderr so far.
func (s *Semlb) Log() string { return s.stderr.String() }

// Stdout returns stdout so far.
func (s *Semlb) Stdout() string { return s.stdout.String() }

// Result is the outcome of a command.
type Result struct {
	Code           int
	Stdout, Stderr string
	Took           time.Duration
}

// Command runs a command line of semlb, inside the test's process, that ends by itself.
func Command(t testing.TB, env map[string]string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	var stdout, stderr process.Log
	start := time.Now()
	code := cli.Main(ctx, args, environment(env, &stdout, &stderr))
	require.NoError(t, ctx.Err(), "the command did not end within %s: %s", startTimeout, &stderr)
	return Result{Code: code, Stdout: stdout.String(), Stderr: stderr.String(), Took: time.Since(start)}
}

// Exec is Command in a separate process, with what libraries write to stdout and
// stderr.
func Exec(t testing.TB, env map[string]string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, Build(t), args...)
	c.Env = []string{}
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	var stdout, stderr process.Log
	c.Stdout, c.Stderr = &stdout, &stderr
	start := time.Now()
	err := c.Run()
	if failed := new(exec.ExitError); !errors.As(err, &failed) {
		require.NoError(t, err)
	}
	return Result{Code: c.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String(), Took: time.Since(start)}
}

// WriteConfig writes the text of a configuration to a file that lasts as long as the
// test.
func WriteConfig(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kong.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func environment(env map[string]string, stdout, stderr *process.Log) cli.Environment {
	env = maps.Clone(env)
	return cli.Environment{Stdout: stdout, Stderr: stderr, LookupEnv: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}}
}
