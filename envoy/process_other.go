//go:build unix && !linux

package envoy

import "syscall"

// childAttributes puts Envoy into a process group of its own, so that Ctrl-C
// reaches it through us and in our order.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
