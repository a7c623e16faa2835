package child

import (
	"os/exec"
	"syscall"
	"time"
)

// groupPoll is the interval at which end checks whether a process group has ended.
const groupPoll = 10 * time.Millisecond

// processGroup is a child process and everything it started: the program may be a
// script that runs Envoy.
type processGroup struct {
	cmd     *exec.Cmd
	stopped time.Time // when SIGTERM was sent; zero before
}

// newProcessGroup makes a command the leader of a process group, which receives SIGTERM
// when the command's context ends. The command's pipes are closed after grace, even if
// another process still has them open.
func newProcessGroup(cmd *exec.Cmd, grace time.Duration) *processGroup {
	g := &processGroup{cmd: cmd}
	cmd.SysProcAttr = childAttributes()
	cmd.WaitDelay = grace
	cmd.Cancel = func() error {
		g.stopped = time.Now()
		return g.signal(syscall.SIGTERM)
	}
	return g
}

func (g *processGroup) signal(s syscall.Signal) error { return syscall.Kill(-g.cmd.Process.Pid, s) }

// end stops the processes that are left after the group's leader was waited for. It
// kills those that are still there at the end of the grace.
func (g *processGroup) end() {
	if g.stopped.IsZero() {
		g.stopped = time.Now()
		_ = g.signal(syscall.SIGTERM) // an error means that the group is empty
	}
	deadline := g.stopped.Add(g.cmd.WaitDelay)
	for g.signal(0) == nil {
		if time.Now().After(deadline) {
			_ = g.signal(syscall.SIGKILL) // the same
			return
		}
		time.Sleep(groupPoll)
	}
}
