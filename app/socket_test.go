package app

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// socketPath is a path in a folder of its own that is short enough.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "semlb-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, "s")
}

func open(t *testing.T, path string, p SocketPermissions) (*socket, error) {
	t.Helper()
	s, err := openSocket(t.Context(), path, p)
	if s != nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

var private = SocketPermissions{Mode: 0o600}

func TestTheSocketHasItsPermissionsWhateverTheUmaskIs(t *testing.T) {
	for _, umask := range []int{0, 0o777} {
		before := syscall.Umask(umask)
		t.Cleanup(func() { syscall.Umask(before) })
		for _, mode := range []fs.FileMode{0o600, 0o660, 0o666} {
			path := socketPath(t)
			require.NoError(t, os.Chmod(filepath.Dir(path), 0o700)) // the umask was in force
			s, err := open(t, path, SocketPermissions{Mode: mode})
			require.NoError(t, err)
			require.Equal(t, mode, s.file.Mode().Perm())
			require.NoError(t, s.unreachable())
		}
		syscall.Umask(before)
	}
}

func TestPermissionsWithWhichNobodyCouldConnectAreRefused(t *testing.T) {
	for _, p := range []SocketPermissions{{}, {Mode: 0o400}, {Mode: 0o060}, {Mode: 0o600, Group: "0"}, {Mode: 0o640, Group: "0"}} {
		_, err := open(t, socketPath(t), p)
		require.ErrorContains(t, err, "--grpc-socket-mode: got", "%v", p)
	}
	path := socketPath(t)
	_, err := open(t, path, SocketPermissions{Mode: 0o660, Group: "no such group"})
	require.ErrorContains(t, err, "--grpc-socket-group: user")
	require.NoFileExists(t, path)
}

func TestASocketOfAProgramIsNotReplaced(t *testing.T) {
	path := socketPath(t)
	// A backlog that is full: the program is busy, and a connection fails.
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	require.NoError(t, syscall.Listen(fd, 0))
	waiting, err := net.Dial("unix", path)
	require.NoError(t, err)
	_, err = open(t, path, private)
	require.ErrorContains(t, err, "is in use by another program")

	require.NoError(t, waiting.Close())
	require.NoError(t, syscall.Close(fd))
	s, err := open(t, path, private) // it was left behind
	require.NoError(t, err)
	require.NoError(t, s.unreachable())
}

func TestCloseRemovesTheSocketUnlessItIsAnothers(t *testing.T) {
	path := socketPath(t)
	s, err := open(t, path, private)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	require.ErrorContains(t, s.unreachable(), "was removed")
	other, err := open(t, path, private)
	require.NoError(t, err)
	require.ErrorContains(t, s.unreachable(), "another program replaced")
	require.NoError(t, s.Close())
	require.NoError(t, other.unreachable())
	require.NoError(t, other.Close())
	require.NoFileExists(t, path)
	_ = s.Close()
	require.Error(t, other.Close(), "closed already")
}

func TestASocketNeedsAPlaceOfItsOwn(t *testing.T) {
	link := socketPath(t)
	require.NoError(t, os.Symlink(filepath.Join(filepath.Dir(link), "elsewhere"), link))
	for path, want := range map[string]string{
		"":                "want 1 to 107 bytes",
		"@semlb":          "an abstract socket has no permissions",
		t.TempDir():       "exists and is not a socket",
		link:              "exists and is not a socket",
		"/nowhere/at/all": "the directory /nowhere/at does not exist",
	} {
		_, err := open(t, path, private)
		require.ErrorContains(t, err, want, path)
	}
}
