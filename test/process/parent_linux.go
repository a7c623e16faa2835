package process

import "syscall"

// endWithParent has the kernel kill a process when the test's process ends.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
