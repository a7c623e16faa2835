package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// User runs programs as a user that is not root, in a folder of its own.
type User struct {
	// Dir is the folder. Its path is short enough for that of a socket in it.
	Dir string

	t testing.TB
	// as is nil for the user that runs the test.
	as *syscall.Credential
	// confined is what its processes may use; nil is everything.
	confined *Confinement
}

// Users without a name, for tests that root runs, and the group of both.
const (
	firstUser, secondUser = 65530, 65531
	sharedGroup           = 65532
)

// Users returns two users with a common group. Unless root runs the test both are the user that does,
// and distinct is false.
func Users(t testing.TB) (first, second *User, distinct bool) {
	t.Helper()
	return newUser(t, firstUser), newUser(t, secondUser), os.Geteuid() == 0
}

func newUser(t testing.TB, id uint32) *User {
	t.Helper()
	dir, err := os.MkdirTemp("", "semlb-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	u := &User{t: t, Dir: dir}
	if os.Geteuid() == 0 {
		u.as = &syscall.Credential{Uid: id, Gid: id, Groups: []uint32{sharedGroup}}
	}
	require.NoError(t, os.Chmod(dir, 0o755))
	u.own(dir)
	return u
}

// UID is the user's number.
func (u *User) UID() int {
	if u.as == nil {
		return os.Geteuid()
	}
	return int(u.as.Uid)
}

// Group is the number of a group that both users are members of.
func (u *User) Group() string {
	if u.as == nil {
		return fmt.Sprint(os.Getegid())
	}
	return fmt.Sprint(sharedGroup)
}

func (u *User) own(path string) {
	u.t.Helper()
	if u.as != nil {
		require.NoError(u.t, os.Lchown(path, int(u.as.Uid), int(u.as.Gid)))
	}
}

// Write writes a file that only the user can read, and returns its path.
func (u *User) Write(name, text string) string {
	u.t.Helper()
	path := filepath.Join(u.Dir, name)
	require.NoError(u.t, os.WriteFile(path, []byte(text), 0o600))
	u.own(path)
	return path
}

// Start starts a program, of which the user gets a copy: it may not be able to reach the
// program itself. If the test fails, it shows the end of what the program wrote.
func (u *User) Start(path string, args ...string) *Process {
	u.t.Helper()
	log := new(Log)
	u.t.Cleanup(func() {
		if u.t.Failed() {
			u.t.Logf("%s:\n%s", filepath.Base(path), log.Tail())
		}
	})
	path = u.copy(path)
	if u.confined != nil && u.as != nil {
		return start(u.t, nil, log, u.confined.command(u, path, args))
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = u.Dir
	return start(u.t, u.as, log, cmd)
}

// copy copies a program into the user's folder, once.
func (u *User) copy(path string) string {
	u.t.Helper()
	to := filepath.Join(u.Dir, filepath.Base(path))
	if _, err := os.Stat(to); err == nil || os.Link(path, to) == nil {
		return to
	}
	from, err := os.Open(path)
	require.NoError(u.t, err)
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	require.NoError(u.t, err)
	_, err = io.Copy(f, from)
	require.NoError(u.t, err)
	require.NoError(u.t, f.Close())
	return to
}
