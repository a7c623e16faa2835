package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// maxSocketPath is the longest path of a Unix socket in bytes (unix(7), without the
// terminating null byte).
const maxSocketPath = 107

// CheckSocket returns an error if the path of a flag cannot be that of a Unix socket.
func CheckSocket(flag, path string) error {
	switch {
	case path == "" || len(path) > maxSocketPath:
		return fmt.Errorf("--%s: got the socket path %q, want 1 to %d bytes", flag, path, maxSocketPath)
	case strings.HasPrefix(path, "@"):
		return fmt.Errorf("--%s: got %q, want the path of a file: an abstract socket has no permissions", flag, path)
	default:
		return nil
	}
}

// SocketPermissions are who may connect to the gRPC socket.
type SocketPermissions struct {
	// Mode is that of the file. Its owner can always connect.
	Mode fs.FileMode
	// Group is the name or the number of the file's group; "" leaves it to the system.
	Group string
}

// check returns an error if the process could not connect itself, or the group not at all.
func (p SocketPermissions) check() error {
	switch {
	case p.Mode&0o600 != 0o600:
		return fmt.Errorf("--grpc-socket-mode: got %#o, want one with which the owner can connect, such as 0600 or 0660", p.Mode)
	case p.Group != "" && p.Mode&0o060 != 0o060:
		return fmt.Errorf("--grpc-socket-mode: got %#o, with which the group of --grpc-socket-group cannot connect, want 0660", p.Mode)
	default:
		return nil
	}
}

// socket is the Unix socket that Envoys connect to.
type socket struct {
	*net.UnixListener
	path string
	// file is what was made at path.
	file fs.FileInfo
	// remove removes the file, unless it is another process's by now.
	remove func()
}

// openSocket makes the gRPC socket. It replaces one that an earlier process left behind.
func openSocket(ctx context.Context, path string, permissions SocketPermissions) (*socket, error) {
	if err := errors.Join(CheckSocket("grpc-socket", path), permissions.check()); err != nil {
		return nil, err
	}
	if err := clearSocket(path); err != nil {
		return nil, err
	}
	// Nobody else can connect before the permissions are set, whatever the umask is: Linux
	// gives the file those of the descriptor. Other systems ignore them.
	private := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
	}}
	l, err := private.Listen(ctx, "unix", path)
	if err != nil {
		return nil, explainBind(path, err)
	}
	s := &socket{UnixListener: l.(*net.UnixListener), path: path}
	s.SetUnlinkOnClose(false)
	s.remove = sync.OnceFunc(func() {
		if s.moved() == nil {
			_ = os.Remove(path) // the next process replaces a socket that is left
		}
	})
	if err := errors.Join(s.permit(permissions), s.note()); err != nil {
		return nil, errors.Join(err, s.UnixListener.Close(), os.Remove(path))
	}
	return s, nil
}

// clearSocket removes a socket that an earlier process left at a path. Everything else that
// is there is an error.
func clearSocket(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return explainBind(path, err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("--grpc-socket: %s exists and is not a socket: choose another path", path)
	}
	switch err := connect(path); {
	case err == nil:
		return fmt.Errorf("%s is in use by another program: stop it, or choose another socket with --grpc-socket", path)
	case errors.Is(err, syscall.ECONNREFUSED): // nobody listens
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("--grpc-socket: remove the socket that an earlier process left: %w", err)
		}
		return nil
	default:
		return fmt.Errorf("--grpc-socket: there is a socket of which it is not known whether a program uses it: %w: remove it, or choose another path", err)
	}
}

// connectTimeout bounds a connection to a socket, which the kernel makes at once.
const connectTimeout = time.Second

// connect returns why a program of this user cannot connect to a socket.
func connect(path string) error {
	conn, err := net.DialTimeout("unix", path, connectTimeout)
	if errors.Is(err, syscall.EAGAIN) {
		return nil // a program listens, and others wait to be accepted
	}
	if err != nil {
		return err
	}
	return conn.Close()
}

// explainBind is the error of a socket that cannot be made, with what to do about it.
func explainBind(path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--grpc-socket: the directory %s does not exist: make it, or choose another path", dir)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("--grpc-socket: user %d has no permission to make %s: let it write to %s, or choose another path", os.Geteuid(), path, dir)
	default:
		return fmt.Errorf("--grpc-socket: %w", err)
	}
}

// permit sets who may connect.
func (s *socket) permit(p SocketPermissions) error {
	if p.Group != "" {
		id, err := groupID(p.Group)
		if err == nil {
			err = os.Lchown(s.path, -1, id)
		}
		if err != nil {
			return fmt.Errorf("--grpc-socket-group: user %d cannot give %s to the group %q, of which it must be a member: %w", os.Geteuid(), s.path, p.Group, err)
		}
	}
	if err := os.Chmod(s.path, p.Mode); err != nil {
		return fmt.Errorf("--grpc-socket-mode: %w", err)
	}
	return nil
}

// groupID is the number of a group.
func groupID(group string) (int, error) {
	if id, err := strconv.Atoi(group); err == nil {
		return id, nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

// note remembers the file.
func (s *socket) note() (err error) {
	s.file, err = os.Lstat(s.path)
	return err
}

// moved returns why the file is not the one that was made.
func (s *socket) moved() error {
	switch info, err := os.Lstat(s.path); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the gRPC socket %s was removed: restart semlb", s.path)
	case err != nil:
		return fmt.Errorf("look at the gRPC socket: %w", err)
	case !os.SameFile(info, s.file):
		return fmt.Errorf("another program replaced the gRPC socket %s: restart semlb", s.path)
	default:
		return nil
	}
}

// unreachable returns why an Envoy of this user cannot connect; nil if it can, or if there
// is no socket.
func (s *socket) unreachable() error {
	if s == nil {
		return nil
	}
	if err := s.moved(); err != nil {
		return err
	}
	if err := connect(s.path); err != nil {
		return fmt.Errorf("connect to the gRPC socket: %w", err)
	}
	return nil
}

// Close stops listening and removes the file.
func (s *socket) Close() error {
	s.remove()
	return s.UnixListener.Close()
}
