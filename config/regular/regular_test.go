package regular_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/regular"
)

func TestAFileIsReadUpToItsLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("12345"), 0o600))
	for most, want := range map[int]string{10: "12345", 5: "12345", 4: "12345", 3: "1234"} {
		got, err := regular.Read(path, most)
		require.NoError(t, err)
		require.Equal(t, want, string(got), most)
	}
	require.NoError(t, regular.Check(path))
	_, err := regular.Read(path+".absent", 1)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, regular.Check(path+".absent"))
}

func TestWhatIsNoFileIsNamedAndNotWaitedFor(t *testing.T) {
	dir, err := os.MkdirTemp("", "regular-") // sockets need short names
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, os.Symlink("/dev/zero", filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink("circle", filepath.Join(dir, "circle")))
	for name, want := range map[string]string{
		"pipe": "a pipe, not a file", "socket": "a socket or a device, not a file", "link": "a device, not a file", ".": "a directory, not a file",
	} {
		_, err := regular.Read(filepath.Join(dir, name), 10)
		require.ErrorContains(t, err, want)
		require.Error(t, regular.Check(filepath.Join(dir, name)))
		require.True(t, strings.HasPrefix(err.Error(), dir), err)
	}
	_, err = regular.Read(filepath.Join(dir, "circle"), 10)
	require.ErrorIs(t, err, syscall.ELOOP)
}
