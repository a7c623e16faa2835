//go:build !linux

package redistest

import "syscall"

// endWithParent does nothing on this system: a killed test leaves its server running.
func endWithParent() *syscall.SysProcAttr { return nil }
