// Package regular reads regular files: what comes to an end without anybody who writes.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Read returns what is in a file. Of one that is longer than most bytes it returns one byte
// more, by which a caller sees that it is too long. A named pipe, a device, a socket and a
// directory are errors that name the path, without waiting for a writer: reading one may have
// no end.
func Read(path string, most int) ([]byte, error) {
	// With O_NONBLOCK, opening a named pipe does not wait either.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) {
		return nil, notRegular(path, fs.ModeSocket)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, notRegular(path, info.Mode())
	}
	return io.ReadAll(io.LimitReader(f, int64(most)+1))
}

// Check returns an error if there is something at a path that is no regular file. Nothing, or
// what cannot be looked at, is left to the one who reads it.
func Check(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return notRegular(path, info.Mode())
	}
	return nil
}

func notRegular(path string, mode fs.FileMode) error {
	kind := "something"
	switch {
	case mode.IsDir():
		kind = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	case mode&fs.ModeDevice != 0:
		kind = "a device"
	case mode&fs.ModeSocket != 0:
		kind = "a socket or a device"
	}
	return fmt.Errorf("%s: %s, not a file", path, kind)
}
