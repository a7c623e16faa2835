//go:build unix && !linux

package child

import "syscall"

// childAttributes puts Envoy into its own process group, so that Ctrl-C does not
// reach it directly and this process stops it in order.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
