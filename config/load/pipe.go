package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"semlb/config/tree"
)

// patience is how long a pipe or a device may say nothing.
type patience struct {
	// writer is how long a named pipe may have none, silence how long one may write nothing,
	// and whole how long it may take to come to an end.
	writer, silence, whole time.Duration
}

// pipePatience is that of files of a configuration. A writer may wait for a person.
var pipePatience = patience{writer: 10 * time.Second, silence: time.Minute, whole: 10 * time.Minute}

// pollPipe is how often a named pipe without a writer is read.
const pollPipe = 50 * time.Millisecond

// read reads a pipe or a device up to its end.
func (p patience) read(ctx context.Context, path string) ([]byte, error) {
	f, err := openPipe(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Now()) })
	defer stop()
	var all []byte
	buffer := make([]byte, 64<<10)
	for opened := time.Now(); len(all) <= tree.MaxBytes; {
		_ = f.SetReadDeadline(time.Now().Add(p.silence)) // a device may have none
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: %w", path, context.Cause(ctx))
		}
		n, err := f.Read(buffer)
		all = append(all, buffer[:n]...)
		switch {
		case time.Since(opened) > p.whole:
			return nil, fmt.Errorf("%s: it had no end within %s", path, p.whole)
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			return nil, fmt.Errorf("%s: nothing was written to it for %s", path, p.silence)
		case errors.Is(err, os.ErrDeadlineExceeded): // ctx has ended
		case !errors.Is(err, io.EOF):
			return nil, err
		case len(all) > 0 || !isNamedPipe(path):
			return all, nil
		case time.Since(opened) > p.writer:
			return nil, fmt.Errorf("%s: a named pipe that nothing was written to within %s", path, p.writer)
		default:
			pause(ctx, pollPipe)
		}
	}
	return all, nil
}

// openPipe opens a pipe or a device. With O_NONBLOCK, opening does not wait for a writer, and
// reads have deadlines. Standard input that is a socket, as some programs give it to those
// that they start, has no path by which it can be opened.
func openPipe(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if path != stdin || !errors.Is(err, syscall.ENXIO) {
		return f, err
	}
	fd, err := syscall.Dup(syscall.Stdin)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), syscall.Close(fd))
	}
	return os.NewFile(uintptr(fd), path), nil
}

// isNamedPipe reports whether a path is that of a named pipe. The pipes behind /dev/stdin
// and <(…) have no names: where they end, they had a writer.
func isNamedPipe(path string) bool {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	info, err := os.Stat(target)
	return err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// pause waits for a time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
