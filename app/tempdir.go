package app

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// makeTempDir makes the directory of the child Envoy, which has key sets of consumers'
// tokens in it, and returns what removes it. A signal that comes once ctx has ended,
// which is the second one, ends the process at once; it removes the directory first.
func makeTempDir(ctx context.Context) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "semlb-")
	if err != nil {
		return "", nil, fmt.Errorf("make directory for Envoy: %w", err)
	}
	second, removed := make(chan os.Signal, 1), make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		signal.Notify(second, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(second)
		select {
		case s := <-second:
			_ = os.RemoveAll(dir) // there is nobody left to tell
			signal.Reset(s)
			if p, err := os.FindProcess(os.Getpid()); err == nil {
				_ = p.Signal(s)
			}
		case <-removed:
		}
	})
	return dir, func() {
		forget()
		close(removed)
		_ = os.RemoveAll(dir) // the system cleans its directory for temporary files too
	}, nil
}
