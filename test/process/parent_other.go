//go:build !linux

package process

import "syscall"

// endWithParent does nothing here: a test that is killed leaves its processes behind.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
