package child

import "syscall"

// childAttributes puts Envoy into its own process group, so that Ctrl-C does not
// reach it directly and this process stops it in order. The kernel sends SIGTERM to it
// if this process is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
