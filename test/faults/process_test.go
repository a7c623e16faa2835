package faults_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// deployment is a world whose `semlb serve` is a process of its own, beside an Envoy
// that got its bootstrap from `semlb envoy`.
type deployment struct {
	*world
	// grpc is where semlb serves, asks where Envoy expects it, admin where Envoy's own
	// interface is.
	grpc, asks, admin string
	// file is the configuration file.
	file string

	// hop says which kind of hop is used.
	hop []string

	args         []string
	serve, envoy *process
	stderr       *output
}

// deploy starts both and waits until requests can be served.
func deploy(t *testing.T, o options) *deployment {
	t.Helper()
	d := &deployment{world: newTargets(t), grpc: harness.FreeAddress(t), admin: harness.FreeAddress(t), stderr: new(output)}
	d.asks = d.grpc
	if o.between != nil {
		d.asks = o.between(d.grpc)
	}
	dir, err := os.MkdirTemp("", "hop-") // short enough for a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	d.hop = []string{"--hop", harness.Hop(), "--hop-socket", dir + "/hop"}
	listen, status := harness.FreeAddress(t), harness.FreeAddress(t)
	d.file = harness.WriteConfig(t, d.configuration(o))
	d.URL, d.Status, d.log = "http://"+listen, "http://"+status, d.stderr.String
	d.routines, d.slack = func() int { return int(d.metric("go_goroutines")) }, 12
	embeddings := "builtin"
	if o.embedder != nil {
		embeddings = "config"
		d.slack += 2 * 16 // of idle connections to the embedder, two for each
	}
	d.args = append([]string{
		"serve", "-c", d.file, "--listen", listen, "--status", status, "--grpc-socket", "", "--grpc-listen", d.grpc,
		"--vectordb", "memory", "--embeddings", embeddings, "--log-level", "debug", "--drain", "300ms", "--admin", "off",
	}, append(d.hop, o.flags...)...)
	t.Cleanup(func() {
		if t.Failed() {
			log := d.log()
			t.Logf("semlb's log:\n%s", log[max(0, len(log)-8000):])
		}
	})
	d.startServe()
	d.startEnvoy()
	return d
}

// startServe starts semlb and waits until it says that it is ready.
func (d *deployment) startServe() {
	d.t.Helper()
	d.serve = run(d.t, d.stderr, binary(d.t), d.args...)
	d.awaitServe()
}

func (d *deployment) awaitServe() {
	d.t.Helper()
	require.Eventually(d.t, func() bool {
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(d.Status + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, waitLimit, waitStep, "semlb is ready:\n%s", lazily(d.log))
}

func (d *deployment) startEnvoy() {
	d.t.Helper()
	printed := harness.Command(d.t, nil, append([]string{"envoy", "--grpc-listen", d.asks, "--envoy-admin", d.admin}, d.hop...)...)
	require.Zero(d.t, printed.Code, printed.Stderr)
	bootstrap := filepath.Join(d.t.TempDir(), "bootstrap.json")
	require.NoError(d.t, os.WriteFile(bootstrap, []byte(printed.Stdout), 0o600))
	said := new(output)
	d.envoy = run(d.t, said, harness.Envoy(d.t), "-c", bootstrap, "--disable-hot-restart", "--concurrency", "2", "--log-level", "warning")
	require.Eventually(d.t, func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(d.URL, "http://"))
		return err == nil && conn.Close() == nil
	}, waitLimit, waitStep, "Envoy listens:\n%s", lazily(said.String))
}

// signal sends a signal to semlb.
func (d *deployment) signal(s syscall.Signal) {
	d.t.Helper()
	require.NoError(d.t, d.serve.cmd.Process.Signal(s))
}

// pause stops the process and waits until it stands still: a signal takes its time on a
// busy machine, and requests that come before it are served.
func (d *deployment) pause() {
	d.t.Helper()
	d.signal(syscall.SIGSTOP)
	threads := fmt.Sprintf("/proc/%d/task/*/stat", d.serve.cmd.Process.Pid)
	require.Eventually(d.t, func() bool {
		files, _ := filepath.Glob(threads) // the pattern is a good one
		return len(files) > 0 && !slices.ContainsFunc(files, runs)
	}, waitLimit, time.Millisecond, "the process goes on")
}

// runs says whether a thread is not stopped, by its stat file.
func runs(file string) bool {
	stat, err := os.ReadFile(file)
	_, state, _ := strings.Cut(string(stat), ") ") // after the program's name
	return err == nil && !strings.HasPrefix(state, "T")
}

// envoyStat is one number of Envoy's statistics, summed over those that match.
func envoyStats(t *testing.T, c *http.Client, url, pattern string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/stats?filter="+pattern, nil)
	require.NoError(t, err)
	answer, err := harness.Send(c, r)
	require.NoError(t, err)
	sum := 0
	for line := range strings.Lines(answer.Body) {
		_, value, _ := strings.Cut(line, ": ")
		var n int
		if _, err := fmt.Sscan(value, &n); err == nil {
			sum += n
		}
	}
	return sum
}

// process is a child that ends with its test.
type process struct {
	cmd *exec.Cmd
	// exited is closed when it has ended; err is then what it came to.
	exited chan struct{}
	err    error
}

func run(t *testing.T, stderr *output, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), exited: make(chan struct{})}
	p.cmd.Stderr = stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, p.cmd.Start())
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process at once, as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

// awaitExit waits until the process has ended by itself.
func (p *process) awaitExit(t *testing.T, limit time.Duration) error {
	t.Helper()
	select {
	case <-p.exited:
		return p.err
	case <-time.After(limit):
		t.Fatalf("the process has not ended after %s", limit)
		return nil
	}
}

// output gathers what is written to it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
