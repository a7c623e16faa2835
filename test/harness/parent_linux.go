package harness

import "syscall"

// endWithParent has the kernel end a process when the test's ends, however it does.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
