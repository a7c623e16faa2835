// Package process runs programs for tests: processes that are killed when their test
// ends, even if the test itself is killed.
package process

import (
	"fmt"
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

// Process is a running program.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	log    *Log
	exited chan struct{}
	kill   sync.Once
}

// Start starts a program. If the test fails, it shows the end of what the program
// wrote.
func Start(t testing.TB, path string, args ...string) *Process {
	t.Helper()
	log := new(Log)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(path), log.Tail())
		}
	})
	return StartLogged(t, log, path, args...)
}

// StartLogged is Start with a log that the caller keeps, such as one log for a program
// that is started again and again. It does not show it.
func StartLogged(t testing.TB, log *Log, path string, args ...string) *Process {
	t.Helper()
	return start(t, nil, log, exec.Command(path, args...))
}

// start starts a program as a user; nil is the test's own.
func start(t testing.TB, as *syscall.Credential, log *Log, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{t: t, cmd: cmd, log: log, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = endWithParent()
	p.cmd.SysProcAttr.Credential = as
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // the process's state has its status
	}()
	t.Cleanup(p.Kill)
	return p
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log returns stdout and stderr so far.
func (p *Process) Log() string { return p.log.String() }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// ExitCode is the status with which the process has ended, -1 for a signal.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// Await waits until the process ends by itself, and returns its status.
func (p *Process) Await(limit time.Duration) (status int) {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.ExitCode()
	case <-time.After(limit):
		p.t.Fatalf("%s has not ended after %s", p.cmd, limit)
		return -1
	}
}

// Stop sends SIGTERM and waits for the end of the process. It returns how long that
// took, and the status.
func (p *Process) Stop(limit time.Duration) (took time.Duration, status int) {
	p.t.Helper()
	start := time.Now()
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(limit):
		p.t.Errorf("%s did not end within %s of SIGTERM", p.cmd, limit)
		p.Kill()
	}
	return time.Since(start), p.ExitCode()
}

// Kill sends SIGKILL, as the kernel does when memory is short, and waits for the end of
// the process. It may be called again, and on a process that has ended or is paused.
func (p *Process) Kill() {
	p.kill.Do(func() { _ = p.cmd.Process.Kill() }) // it may have ended by itself
	<-p.exited
}

// Pause sends SIGSTOP and waits until each thread has stopped: on a busy machine that
// takes a while, in which the process still works.
func (p *Process) Pause() {
	p.t.Helper()
	p.Signal(syscall.SIGSTOP)
	threads := fmt.Sprintf("/proc/%d/task/*/stat", p.PID())
	require.Eventually(p.t, func() bool {
		files, _ := filepath.Glob(threads) // the pattern is well-formed
		return len(files) > 0 && !slices.ContainsFunc(files, runs)
	}, time.Minute, time.Millisecond, "%s does not stop", p.cmd)
}

// Resume ends a Pause.
func (p *Process) Resume() {
	p.t.Helper()
	p.Signal(syscall.SIGCONT)
}

// runs reports whether a thread is not stopped, by its stat file.
func runs(file string) bool {
	stat, err := os.ReadFile(file)
	_, state, _ := strings.Cut(string(stat), ") ") // after the program's name
	return err == nil && !strings.HasPrefix(state, "T")
}

// Children returns the child processes that have not ended. It reads Linux's /proc,
// where a child belongs to the thread that started it.
func (p *Process) Children() ([]int, error) {
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

// Resident returns the resident memory of a process in bytes.
func Resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory of process: %w", err)
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0, fmt.Errorf("read memory of process: %w", err)
	}
	return pages * float64(os.Getpagesize()), nil
}
