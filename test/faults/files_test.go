package faults_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

// fileWorld is a `semlb serve` of a user who is not root, with a directory of files.
type fileWorld struct {
	*world
	user *process.User
	dir  string
}

func newFileWorld(t *testing.T) *fileWorld {
	t.Helper()
	user, _, _ := process.Users(t)
	w := &fileWorld{world: &world{t: t}, user: user, dir: filepath.Join(user.Dir, "d")}
	require.NoError(t, os.Mkdir(w.dir, 0o755))
	return w
}

// serve starts semlb with further flags; its status port is new.
func (w *fileWorld) serve(args ...string) *process.Process {
	w.t.Helper()
	status := harness.FreeAddress(w.t)
	w.Gateway = harness.NewGateway(w.t, "", status)
	return w.user.Start(harness.Build(w.t), append([]string{
		"serve", "--status", status, "--admin", "off", "--drain", "0s", "--grpc-socket", filepath.Join(w.user.Dir, "s"),
	}, args...)...)
}

// version is a configuration whose model has a number.
func version(n int) string {
	return fmt.Sprintf(`_format_version: "3.0"
plugins:
- {name: ai-proxy-advanced, config: {balancer: {algorithm: priority}, targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m%d, options: {upstream_url: "https://127.0.0.1:9"}}}]}}
`, n)
}

// obstacles are what may lie in a directory of files, and what refuses a configuration then.
// Each is made at a path with the ending of a configuration.
var obstacles = map[string]struct {
	put  func(w *fileWorld, path string)
	want string
}{
	"a pipe":                      {func(w *fileWorld, path string) { w.fifo(path) }, "a pipe, not a file"},
	"a pipe with a silent writer": {func(w *fileWorld, path string) { w.writer(w.fifo(path)) }, "a pipe, not a file"},
	"a device":                    {func(w *fileWorld, path string) { w.link("/dev/zero", path) }, "a device, not a file"},
	"a terminal":                  {func(w *fileWorld, path string) { w.link("/dev/tty", path) }, "not a file"},
	"a socket":                    {func(w *fileWorld, path string) { w.socket(path) }, "not a file"},
	"a link to itself":            {func(w *fileWorld, path string) { w.link(path, path) }, "too many levels of symbolic links"},
	"a link to nothing":           {func(w *fileWorld, path string) { w.link(path+".absent", path) }, "no such file"},
	"a file without rights":       {func(w *fileWorld, path string) { w.forbidden(os.WriteFile(path, []byte(version(0)), 0), path) }, "permission denied"},
	"a directory without rights":  {func(w *fileWorld, path string) { w.forbidden(os.Mkdir(path, 0), path) }, "permission denied"},
	"a file of a terabyte": {func(w *fileWorld, path string) {
		require.NoError(w.t, os.WriteFile(path, nil, 0o644))
		require.NoError(w.t, os.Truncate(path, 1<<40))
	}, "want at most 4194304"},
	"a directory of many files":   {func(w *fileWorld, path string) { w.many(path) }, "more than 10000 files"},
	"a script that names a pipe":  {func(w *fileWorld, path string) { w.script(w.fifo(path+".fifo"), path) }, "x.yaml.fifo, which cannot be read"},
	"a script that names nothing": {func(w *fileWorld, path string) { w.script(path+".absent", path) }, "kubectl applies a file that is not beside the script"},
}

func (w *fileWorld) fifo(path string) string {
	require.NoError(w.t, syscall.Mkfifo(path, 0o644))
	return path
}

// writer opens a pipe for writing, and writes nothing.
func (w *fileWorld) writer(path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = f.Close() })
}

func (w *fileWorld) link(to, path string) { require.NoError(w.t, os.Symlink(to, path)) }

func (w *fileWorld) socket(path string) {
	l, err := net.Listen("unix", path)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = l.Close() })
}

// forbidden is what nobody but root can read.
func (w *fileWorld) forbidden(err error, path string) {
	require.NoError(w.t, err)
	require.NoError(w.t, os.Chmod(path, 0))
}

// many is a directory with more files than a configuration has.
func (w *fileWorld) many(path string) {
	require.NoError(w.t, os.Mkdir(path, 0o755))
	for n := range 10_001 {
		require.NoError(w.t, os.WriteFile(filepath.Join(path, fmt.Sprint(n)), nil, 0o644))
	}
}

// maze is a directory with more ways through it than there is time for.
func (w *fileWorld) maze(path string) {
	for level := range 40 {
		at := filepath.Join(path, fmt.Sprint(level))
		require.NoError(w.t, os.MkdirAll(at, 0o755))
		w.link(filepath.Join(path, fmt.Sprint(level+1)), filepath.Join(at, "left"))
		w.link(filepath.Join(path, fmt.Sprint(level+1)), filepath.Join(at, "right"))
	}
	require.NoError(w.t, os.Mkdir(filepath.Join(path, "40"), 0o755))
}

// script writes a script that applies what is at a path beside it.
func (w *fileWorld) script(names, path string) {
	text := "#!/bin/sh\nkubectl apply -R -f " + filepath.Base(names) + "\n"
	require.NoError(w.t, os.WriteFile(strings.TrimSuffix(path, ".yaml")+".sh", []byte(text), 0o644))
}

func TestFault39Files(t *testing.T) {
	r := begin(t, "pipes, devices, sockets, endless files, files and directories without rights, loops of links: in a directory of -c, named by -c, by a script, as --state and --trusted-ca; as a user who is not root")
	w := newFileWorld(t)
	w.replace(version(0))
	semlb := w.serve("-c", w.dir)
	harness.AwaitReady(t, w.Status)
	n := 0
	for name, o := range obstacles {
		if os.Geteuid() != 0 && w.user.UID() == 0 {
			continue
		}
		n++
		w.refusesAndGoesOn(name, n, func(path string) { o.put(w, path) }, o.want)
	}
	w.link(w.dir, filepath.Join(w.dir, "loop"))
	w.maze(filepath.Join(w.dir, "maze"))
	w.applies(n+1, "loops of links are no fault")
	w.fifo(filepath.Join(w.dir, "pipe.yaml"))
	require.Eventually(t, func() bool { return strings.Contains(w.status().Refused, "a pipe") }, waitLimit, waitStep)
	_, code := semlb.Stop(waitLimit)
	require.Zero(t, code)
	r.saw("%d in the directory: the reload is refused with the path, the next good one applied, SIGTERM works", n)
	waiting, wrong := w.atStart()
	r.saw("at the start: SIGTERM ends %d waits for a pipe, %d are errors at once", waiting, wrong)
	w.keepsPipe()
	r.saw("what a pipe said stays when other files are reloaded")
}

func (w *fileWorld) replace(text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "kong.yaml")
	require.NoError(w.t, os.WriteFile(path+".new", []byte(text), 0o644))
	require.NoError(w.t, os.Rename(path+".new", path))
}

// applies changes the good file and waits until it is in force.
func (w *fileWorld) applies(n int, why string) {
	w.t.Helper()
	before, _ := w.reloads()
	w.replace(version(n))
	require.Eventually(w.t, func() bool { applied, _ := w.reloads(); return applied > before && w.status().Refused == "" }, waitLimit, waitStep, why)
}

// refusesAndGoesOn puts an obstacle beside the good file, and takes it away.
func (w *fileWorld) refusesAndGoesOn(name string, n int, put func(path string), want string) {
	w.t.Helper()
	before := filesOf(w.t, w.dir)
	_, refused := w.reloads()
	put(filepath.Join(w.dir, "x.yaml"))
	require.Eventually(w.t, func() bool { _, now := w.reloads(); return now > refused && strings.Contains(w.status().Refused, want) },
		waitLimit, waitStep, "%s: want %s, got %s", name, want, lazily(func() string { return w.status().Refused }))
	for path := range filesOf(w.t, w.dir) {
		if !before[path] {
			require.NoError(w.t, os.RemoveAll(path))
		}
	}
	w.applies(n, name)
}

func filesOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	all := make(map[string]bool)
	for _, entry := range entries {
		all[filepath.Join(dir, entry.Name())] = true
	}
	return all
}

// atStart starts semlb with what is no file. It waits for pipes until it gets SIGTERM, and
// the others are errors.
func (w *fileWorld) atStart() (waiting, wrong int) {
	w.t.Helper()
	good := w.user.Write("good.yaml", version(0))
	at := func(name string) string { return filepath.Join(w.user.Dir, name) }
	w.fifo(at("silent"))
	w.writer(at("silent"))
	w.socket(at("socket"))
	for _, pipe := range []string{w.fifo(at("fifo")), at("silent")} {
		semlb := w.serve("-c", pipe)
		require.Eventually(w.t, func() bool { return opens(semlb, pipe) }, waitLimit, waitStep, "it reads %s", pipe)
		_, code := semlb.Stop(waitLimit)
		require.NotZero(w.t, code)
		require.Contains(w.t, semlb.Log(), "signal received", "ended by the signal, not by the pipe's deadline")
		waiting++
	}
	for _, args := range [][]string{
		{"-c", at("socket")},
		{"-c", "/dev/zero"},
		{"-c", w.dir},
		{"-c", good, "--trusted-ca", at("fifo")},
		{"-c", good, "--trusted-ca", at("silent")},
		{"-c", good, "--trusted-ca", "/dev/zero"},
		{"-c", good, "--trusted-ca", at("socket")},
		{"-c", good, "--trusted-ca", w.dir},
		{"--state", at("fifo")},
		{"--state", at("silent")},
		{"--state", "/dev/zero"},
		{"--state", at("socket")},
		{"--state", w.dir},
	} {
		semlb := w.serve(args...)
		require.NotZero(w.t, semlb.Await(waitLimit), "%q", args)
		require.Contains(w.t, semlb.Log(), filepath.Base(args[len(args)-1]))
		wrong++
	}
	return waiting, wrong
}

// opens reports whether a process has a file open.
func opens(p *process.Process, path string) bool {
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.PID()))
	for _, fd := range all {
		if to, err := os.Readlink(fd); err == nil && to == path {
			return true
		}
	}
	return false
}

// keepsPipe reloads a file beside a pipe that has ended.
func (w *fileWorld) keepsPipe() {
	w.t.Helper()
	pipe := w.fifo(filepath.Join(w.user.Dir, "once"))
	require.NoError(w.t, os.RemoveAll(w.dir))
	require.NoError(w.t, os.Mkdir(w.dir, 0o755))
	w.replace("_format_version: \"3.0\"\nconsumers: [{username: a}]\n")
	semlb := w.serve("-c", pipe, "-c", w.dir)
	require.NoError(w.t, os.WriteFile(pipe, []byte(version(1)), 0), "as soon as semlb reads it")
	harness.AwaitReady(w.t, w.Status)
	applied, _ := w.reloads()
	w.replace("_format_version: \"3.0\"\nconsumers: [{username: b}]\n")
	require.Eventually(w.t, func() bool { now, _ := w.reloads(); return now > applied }, waitLimit, waitStep)
	require.Contains(w.t, semlb.Log(), "msg=reloaded plugins=1")
	_, code := semlb.Stop(waitLimit)
	require.Zero(w.t, code)
}
