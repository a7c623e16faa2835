package envoy

import (
	"os/exec"
	"syscall"
	"time"
)

// groupPoll is how often a process group is looked at until it has ended.
const groupPoll = 10 * time.Millisecond

// processGroup is a child with whatever it started: the program that was named may be a
// script that runs Envoy.
type processGroup struct {
	cmd     *exec.Cmd
	stopped time.Time // when it was asked to end
}

// newProcessGroup makes a command the leader of a process group, which is asked to end when
// the command's context does. Its pipes are closed after grace, even if somebody else
// has them open too.
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

// end ends what is left of the group after its leader was waited for. It has what is
// left of the grace to go by itself.
func (g *processGroup) end() {
	if g.stopped.IsZero() {
		g.stopped = time.Now()
		_ = g.signal(syscall.SIGTERM) // an error is that nobody is left
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
