package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"semlb/config/regular"
	"semlb/config/tree"
)

// stateFile keeps a state on the disk. Its content is replaced as a whole: whenever the
// process is killed, the file has the old content or the new one.
type stateFile struct {
	path string
	lock stateLock
}

// openStateFile locks a state file for this process. The file need not exist.
func openStateFile(path string, log *slog.Logger) (*stateFile, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // keep the link when its target is replaced
	}
	f := &stateFile{path: path, lock: stateLock{path: path, log: log}}
	if err := f.lock.claim(); err != nil {
		return nil, errors.Join(err, f.lock.close())
	}
	return f, nil
}

// claim makes sure that the state is still this process's.
func (f *stateFile) claim() error { return f.lock.claim() }

// beside returns the name of a hidden file in the same directory.
func beside(path, suffix string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+suffix)
}

// read returns the content, and false where there is no file.
func (f *stateFile) read() ([]byte, bool, error) {
	data, err := regular.Read(f.path, tree.MaxBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read state: %w", err)
	default:
		return data, true, nil
	}
}

// write replaces the content. When it returns nil the new content is on the disk, and
// survives a power failure, unless the disk reports writes before they are durable.
func (f *stateFile) write(data []byte) error {
	if err := f.claim(); err != nil {
		return err
	}
	temporary := beside(f.path, "new")
	if err := writeSynced(temporary, data); err != nil {
		return errors.Join(fmt.Errorf("write state: %w", err), removeIfThere(temporary))
	}
	// It is locked before others can see it as the state.
	next, err := lockFile(temporary, os.O_RDWR)
	if err != nil {
		return errors.Join(fmt.Errorf("lock new state: %w", err), removeIfThere(temporary))
	}
	if err := os.Rename(temporary, f.path); err != nil {
		return errors.Join(fmt.Errorf("replace state: %w", err), next.Close(), removeIfThere(temporary))
	}
	release(&f.lock.state, next)
	if err := syncDirectory(filepath.Dir(f.path)); err != nil {
		return fmt.Errorf("sync directory of state: %w", err)
	}
	return nil
}

func writeSynced(path string, data []byte) (err error) {
	const notWaiting = syscall.O_NONBLOCK // for the reader of a named pipe
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|notWaiting, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// A file that a killed process left may have become readable for others.
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// close lets another process use the file.
func (f *stateFile) close() error { return f.lock.close() }
