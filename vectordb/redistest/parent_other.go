//go:build !linux

package redistest

import "syscall"

// endWithParent has no counterpart here: a killed test leaves its server behind.
func endWithParent() *syscall.SysProcAttr { return nil }
