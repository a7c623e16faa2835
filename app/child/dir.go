package child

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// MakeDir makes a temporary directory for a child Envoy and returns what removes it. It is
// also removed if a second signal, one that arrives after ctx has ended, ends the process at
// once.
func MakeDir(ctx context.Context) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "semlb-")
	if err != nil {
		return "", nil, fmt.Errorf("make directory for Envoy: %w", err)
	}
	second, removed := make(chan os.Signal, 1), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		signal.Notify(second, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(second)
		select {
		case s := <-second:
			_ = os.RemoveAll(dir) // the process ends: nothing can handle an error
			signal.Reset(s)
			if p, err := os.FindProcess(os.Getpid()); err == nil {
				_ = p.Signal(s)
			}
		case <-removed:
		}
	})
	return dir, func() {
		stop()
		close(removed)
		_ = os.RemoveAll(dir) // the system removes temporary files that are left
	}, nil
}
