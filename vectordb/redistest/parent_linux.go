package redistest

import "syscall"

// endWithParent makes the kernel end the server if the test's process is killed before
// its cleanup.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
