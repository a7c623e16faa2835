package harness

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Build compiles semlb, for tests that want it as a process of its own.
func Build(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "semlb")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = Root(t)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "build semlb: %s", out)
	return binary
}

// Program is a process that a test started. It is killed when the test ends.
type Program struct {
	t      testing.TB
	cmd    *exec.Cmd
	out    output
	exited chan struct{}
	kill   sync.Once
}

// Run starts a process. What it writes is kept for [Program.Log].
func Run(t testing.TB, binary string, args ...string) *Program {
	t.Helper()
	p := &Program{t: t, cmd: exec.Command(binary, args...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = endWithParent()
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // its status is read from the process's state
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s:\n%s", p.cmd, tail(p.Log()))
		}
	})
	return p
}

// PID is the process's number.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Log is what the process has written so far.
func (p *Program) Log() string { return p.out.String() }

// Exited is closed when the process has ended.
func (p *Program) Exited() <-chan struct{} { return p.exited }

// Children are the processes that this one has started and that have not ended. It
// reads Linux's /proc, where a child belongs to the thread that started it.
func (p *Program) Children() ([]int, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.PID()))
	if err != nil {
		return nil, err
	}
	var children []int
	for _, file := range threads {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
	}
	return children, nil
}

// ExitCode is the status with which the process has ended.
func (p *Program) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Stop asks the process to end, waits for it, and says how long that took and with
// which status it ended.
func (p *Program) Stop(limit time.Duration) (took time.Duration, status int) {
	p.t.Helper()
	start := time.Now()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.exited:
	case <-time.After(limit):
		p.t.Errorf("%s did not end within %s of SIGTERM", p.cmd, limit)
		p.Kill()
	}
	return time.Since(start), p.ExitCode()
}

// Kill ends the process without a warning and waits for its end.
func (p *Program) Kill() {
	p.kill.Do(func() { _ = p.cmd.Process.Kill() }) // it may have ended by itself
	<-p.exited
}

// AwaitReady waits until a status port says that semlb is ready.
func AwaitReady(t testing.TB, status string) {
	t.Helper()
	AwaitStatus(t, status+"/readyz", http.StatusOK)
}

// AwaitStatus waits until a URL is answered with a status.
func AwaitStatus(t testing.TB, url string, want int) {
	t.Helper()
	require.Eventually(t, func() bool { return StatusOf(url) == want }, startTimeout, 20*time.Millisecond, "%s: want %d", url, want)
}

// StatusOf asks a URL for its status; 0 if there is no answer.
func StatusOf(url string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// RunEnvoy starts an Envoy with a bootstrap, on two worker threads unless args say
// otherwise.
func RunEnvoy(t testing.TB, bootstrap string, args ...string) *Program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bootstrap.json")
	require.NoError(t, os.WriteFile(file, []byte(bootstrap), 0o600))
	if !slices.Contains(args, "--concurrency") {
		args = append(args, "--concurrency", "2")
	}
	return Run(t, Envoy(t), append([]string{"-c", file, "--disable-hot-restart", "--log-level", "warning"}, args...)...)
}
