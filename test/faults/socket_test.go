package faults_test

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

// socketWorld is a world whose `semlb serve` and Envoy run as users that are not root, and
// meet at a Unix socket.
type socketWorld struct {
	*world
	user       *process.User
	socket     string
	serveFlags []string
}

func newSocketWorld(t *testing.T, user *process.User, socket string) *socketWorld {
	t.Helper()
	w := &socketWorld{world: newTargets(t), user: user, socket: socket}
	listen, status := harness.FreeAddress(t), harness.FreeAddress(t)
	w.Gateway = harness.NewGateway(t, listen, status)
	w.serveFlags = []string{
		"serve", "-c", user.Write("kong.yaml", w.configuration(options{})), "--listen", listen, "--status", status,
		"--grpc-socket", socket, "--embeddings", "builtin", "--vectordb", "memory", "--admin", "off", "--drain", "0s", "--decision-budget", "10s",
		"--hop", harness.Hop(), "--hop-socket", hopOf(user),
	}
	return w
}

// hopOf is the socket of the inner listener of a user's Envoy.
func hopOf(u *process.User) string { return filepath.Join(u.Dir, "hop") }

// serve starts semlb with more flags.
func (w *socketWorld) serve(more ...string) *process.Process {
	w.t.Helper()
	return w.user.Start(harness.Build(w.t), append(w.serveFlags, more...)...)
}

// startEnvoy starts an Envoy as a user.
func (w *socketWorld) startEnvoy(as *process.User) *process.Process {
	w.t.Helper()
	printed := harness.Command(w.t, nil, "envoy", "--grpc-socket", w.socket, "--hop", harness.Hop(), "--hop-socket", hopOf(as))
	require.Zero(w.t, printed.Code, printed.Stderr)
	return as.Start(harness.Envoy(w.t), "-c", as.Write("bootstrap.json", printed.Stdout),
		"--disable-hot-restart", "--log-level", "warning", "--concurrency", "1")
}

// awaitGood waits until a request is served.
func (w *socketWorld) awaitGood(what string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.servedBy(chat(code)) == codeModel }, waitLimit, waitStep, what)
}

// requireEnds starts semlb, which must end, with a message.
func (w *socketWorld) requireEnds(message string, more ...string) {
	w.t.Helper()
	p := w.serve(more...)
	require.Equal(w.t, 1, p.Await(waitLimit))
	require.Contains(w.t, p.Log(), message)
}

// socketStatus is the part of GET /status about the socket.
type socketStatus struct {
	Ready bool `json:"ready"`
	GRPC  struct {
		Addresses   []string `json:"addresses"`
		EnvoySeen   bool     `json:"envoy_has_connected"`
		Unreachable string   `json:"unreachable"`
	} `json:"grpc"`
}

func (w *socketWorld) status() (s socketStatus) {
	w.t.Helper()
	require.NoError(w.t, json.Unmarshal([]byte(w.Page("/status").Body), &s))
	return s
}

// requireMode checks the permissions of the socket, and that no root owns it.
func (w *socketWorld) requireMode(want os.FileMode) {
	w.t.Helper()
	info, err := os.Stat(w.socket)
	require.NoError(w.t, err)
	require.Equal(w.t, want, info.Mode().Perm())
	require.EqualValues(w.t, w.user.UID(), info.Sys().(*syscall.Stat_t).Uid)
}

func TestFault29Socket(t *testing.T) {
	r := begin(t, "`semlb serve` as a user that is not root: who can connect to its socket, before and after an Envoy has; the socket removed, left behind, in use, in a wrong place")
	owner, other, distinct := process.Users(t)
	w := newSocketWorld(t, owner, filepath.Join(owner.Dir, "s"))
	serve := w.serve()
	harness.AwaitReady(t, w.Status)
	w.requireMode(0o600)
	require.Equal(t, "ready; no Envoy has connected yet\n", w.Page("/readyz").Body)
	require.Equal(t, []string{w.socket}, w.status().GRPC.Addresses)
	require.False(t, w.status().GRPC.EnvoySeen)
	w.requireEnds("is in use by another program: stop it")
	envoy := w.startEnvoy(owner)
	w.awaitGood("an Envoy of the same user connects")
	require.Equal(t, "ready\n", w.Page("/readyz").Body)
	require.True(t, w.status().GRPC.EnvoySeen)
	r.saw("mode 0600: ready, says that no Envoy has connected, serves when one of the same user has")

	require.NoError(t, os.Remove(w.socket))
	require.Eventually(t, func() bool { return w.status().GRPC.Unreachable != "" }, waitLimit, waitStep)
	require.True(t, w.status().Ready, "the Envoy that is connected is served")
	w.requireGood()
	envoy.Kill()
	harness.AwaitStatus(t, w.Status+"/readyz", http.StatusServiceUnavailable)
	require.Contains(t, w.Page("/readyz").Body, "not ready: the gRPC socket "+w.socket+" was removed: restart semlb")
	require.Contains(t, serve.Log(), "Envoys cannot connect")
	serve.Kill()
	r.saw("socket removed: served while the Envoy stays, then not ready, with the reason")

	leaveSocket(t, w)
	serve = w.serve("--grpc-socket-group", owner.Group(), "--hop-socket", hopOf(other))
	harness.AwaitReady(t, w.Status)
	w.requireMode(0o660)
	envoy = w.startEnvoy(other)
	w.awaitGood("an Envoy of another user of the group connects")
	envoy.Kill()
	_, code := serve.Stop(waitLimit)
	require.Zero(t, code)
	require.NoFileExists(t, w.socket)
	r.saw("left behind: replaced; --grpc-socket-group: mode 0660, an Envoy of the group serves")

	w.requireEnds("want 1 to 107 bytes", "--grpc-socket", filepath.Join(owner.Dir, strings.Repeat("s", 108)))
	w.requireEnds("does not exist: make it, or choose another path", "--grpc-socket", filepath.Join(owner.Dir, "absent", "s"))
	w.requireEnds("exists and is not a socket", "--grpc-socket", owner.Write("file", ""))
	if distinct {
		w.requireEnds("has no permission to make", "--grpc-socket", filepath.Join(other.Dir, "s"))
		theirs := newSocketWorld(t, other, w.socket)
		serve = w.serve()
		harness.AwaitReady(t, w.Status)
		theirs.requireEnds("it is not known whether a program uses it")
		serve.Kill()
	}
	r.saw("in use, too long, no directory, no socket, no permission: the start ends with what to do; different users: %t", distinct)
}

// leaveSocket leaves a socket that nothing listens on, as a process does that is killed.
func leaveSocket(t *testing.T, w *socketWorld) {
	t.Helper()
	serve := w.serve()
	harness.AwaitReady(t, w.Status)
	serve.Kill()
	_, err := net.DialTimeout("unix", w.socket, time.Second)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}
