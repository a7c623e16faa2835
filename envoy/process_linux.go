package envoy

import "syscall"

// childAttributes puts Envoy into a process group of its own, so that Ctrl-C
// reaches it through us and in our order, and has the kernel end it if we are
// killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
