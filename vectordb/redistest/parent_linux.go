package redistest

import "syscall"

// endWithParent has the server end even when the test's process is killed before
// any cleanup.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
