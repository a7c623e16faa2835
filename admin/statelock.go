package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"syscall"
)

// stateLock lets one process at a time use a state. It locks a file beside the state, which
// is there before the state is, and the state itself: one of the two can be removed or
// replaced without another process's taking the state.
type stateLock struct {
	path   string
	log    *slog.Logger
	beside *os.File
	state  *os.File // nil while there is no state
}

// claim takes the state for this process. It also takes what somebody has put in the place of
// a locked file since the last call. The error is an errTaken if another process has the
// state.
func (l *stateLock) claim() error {
	if err := hold(&l.beside, beside(l.path, "lock"), os.O_CREATE|os.O_RDWR); err != nil {
		return l.explain(err)
	}
	before := l.state
	err := hold(&l.state, l.path, os.O_RDWR)
	if errors.Is(err, fs.ErrPermission) { // of a file that only its directory lets us replace
		err = hold(&l.state, l.path, os.O_RDONLY)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return l.explain(err)
	}
	if before != nil && l.state != before {
		l.log.Warn("somebody replaced the state file while semlb runs; it is only read at startup, and the next change overwrites it", "state", l.path)
	}
	return nil
}

// errTaken reports that another process uses a state.
var errTaken = errors.New("it is used by another process")

func (l *stateLock) explain(err error) error {
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("lock state %s: %w", l.path, errTaken)
	}
	return fmt.Errorf("lock state: %w", err)
}

// hold locks the file at a path, unless it is the one that is held.
func hold(held **os.File, path string, flags int) error {
	if *held != nil && isAt(*held, path) {
		return nil
	}
	f, err := lockFile(path, flags)
	if err != nil {
		return err
	}
	release(held, f)
	return nil
}

// release replaces a locked file, which unlocks it.
func release(held **os.File, by *os.File) {
	if *held != nil {
		_ = (*held).Close() // nothing was written through it
	}
	*held = by
}

// lockFile opens and locks the file at a path. It does not wait for the other end of a named
// pipe, which is none that can be read afterwards.
func lockFile(path string, flags int) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, flags|syscall.O_NONBLOCK, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if isAt(f, path) {
			return f, nil
		}
		_ = f.Close() // it was replaced before it was locked
	}
}

// isAt reports whether an open file is the one at a path.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(open, there)
}

// close lets another process use the state.
func (l *stateLock) close() error {
	release(&l.state, nil)
	if l.beside == nil {
		return nil
	}
	return l.beside.Close()
}
