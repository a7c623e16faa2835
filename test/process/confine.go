package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

// Confinement is what the processes of a [User] may use.
type Confinement struct {
	// Memory is what they may take, in bytes.
	Memory int64
	// InCgroup is whether the kernel holds them to it. It does where root runs the test and
	// may make cgroups.
	InCgroup bool
	// ReadOnly is whether the user's folder is the only place where they may write, except
	// for mounts other than that of the root. It is where root runs the test and may mount.
	ReadOnly bool

	dir  string
	tree memoryTree
}

// memoryTree is a version of cgroups: where its tree is, and the names of its files.
type memoryTree struct{ root, limit, peak, kills string }

var memoryTrees = []memoryTree{
	{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"},
	{"/sys/fs/cgroup", "memory.max", "memory.peak", "memory.events"},
}

// Confine bounds the processes that the user starts from now on: in memory, in bytes, and as
// far as the test may, in where they write. None of them has a capability.
func (u *User) Confine(memory int64) *Confinement {
	u.t.Helper()
	c := &Confinement{Memory: memory}
	u.confined = c
	if u.as == nil {
		return c
	}
	c.ReadOnly = exec.Command("unshare", "--mount", "setpriv", "--no-new-privs", "mount", "-o", "remount,bind,ro", "/").Run() == nil
	for _, tree := range memoryTrees {
		dir := filepath.Join(tree.root, filepath.Base(u.Dir))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		u.t.Cleanup(func() { _ = os.Remove(dir) }) // one that is left is empty
		if os.WriteFile(filepath.Join(dir, tree.limit), []byte(strconv.FormatInt(memory, 10)), 0o644) == nil {
			c.InCgroup, c.dir, c.tree = true, dir, tree
			break
		}
	}
	return c
}

// confining is a script of root that enters a cgroup, if $1 has one; mounts the root
// read-only but for the folder $2, unless that is empty; and runs the rest as the user and
// the group $3.
const confining = `set -e
cgroup=$1 dir=$2 id=$3
shift 3
[ -z "$cgroup" ] || echo $$ >"$cgroup/cgroup.procs"
if [ -n "$dir" ]; then
	mount --bind "$dir" "$dir"
	mount -o remount,bind,ro /
	cd "$dir"
fi
exec setpriv --reuid "$id" --regid "$id" --clear-groups --bounding-set -all --inh-caps -all --no-new-privs --pdeathsig KILL "$@"`

// command is that of a process in the confinement.
func (c *Confinement) command(u *User, path string, args []string) *exec.Cmd {
	script := []string{"sh", "-c", confining, "sh", c.dir, "", strconv.Itoa(u.UID()), path}
	if c.ReadOnly {
		script[5] = u.Dir // after the cgroup
		script = append([]string{"unshare", "--mount"}, script...)
	}
	cmd := exec.Command(script[0], append(script[1:], args...)...)
	cmd.Dir = u.Dir
	return cmd
}

// Kills is how often the kernel has ended one of the processes because their memory was full.
func (c *Confinement) Kills() (int, error) {
	if !c.InCgroup {
		return 0, nil
	}
	text, err := os.ReadFile(filepath.Join(c.dir, c.tree.kills))
	if err != nil {
		return 0, fmt.Errorf("read events of cgroup: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if number, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strconv.Atoi(strings.TrimSpace(number))
		}
	}
	return 0, fmt.Errorf("%s has no oom_kill", c.tree.kills)
}

// Peak is the most memory that the processes have had in their cgroup, in bytes, pages of files
// included, which the kernel drops when it needs the room.
func (c *Confinement) Peak() (int64, error) {
	text, err := os.ReadFile(filepath.Join(c.dir, c.tree.peak))
	if err != nil {
		return 0, fmt.Errorf("read peak of cgroup: %w", err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// RequireLeast fails the test unless a process of the user, who is confined, has no
// capability, may get none, and cannot write to the root if that is read-only.
func (u *User) RequireLeast(p *Process) {
	u.t.Helper()
	proc := fmt.Sprintf("/proc/%d/", p.PID())
	status, err := os.ReadFile(proc + "status")
	require.NoError(u.t, err)
	sets := []string{"CapPrm", "CapEff", "CapAmb"}
	if u.as != nil {
		sets = append(sets, "CapInh", "CapBnd")
		require.Contains(u.t, string(status), "NoNewPrivs:\t1\n")
		require.Contains(u.t, string(status), fmt.Sprintf("Uid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d\n", u.UID()))
	}
	for _, set := range sets {
		require.Contains(u.t, string(status), set+":\t0000000000000000\n")
	}
	if u.confined.ReadOnly {
		require.ErrorContains(u.t, os.WriteFile(proc+"root/semlb-test", nil, 0o600), "read-only file system")
		require.NoError(u.t, os.WriteFile(proc+"root"+filepath.Join(u.Dir, "written"), nil, 0o600))
	}
}
