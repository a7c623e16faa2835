package child

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/stretchr/testify/require"
)

// standIn writes a script that takes Envoy's place. Its directory is $dir, where it can
// write the ID of a process for [pidIn].
func standIn(t *testing.T, text string) (binary, dir string) {
	t.Helper()
	dir = t.TempDir()
	binary = filepath.Join(dir, "envoy")
	require.NoError(t, os.WriteFile(binary, []byte("#!/bin/sh\ndir='"+dir+"'\n"+text+"\n"), 0o755))
	return binary, dir
}

// pidIn waits for the ID of a process that a script has started.
func pidIn(t *testing.T, dir string) int {
	t.Helper()
	var pid int
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	}, time.Minute, 5*time.Millisecond)
	return pid
}

// requireEnded waits for a process to end; a zombie has ended.
func requireEnded(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			return true
		}
		return strings.HasPrefix(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " Z")
	}, time.Minute, 5*time.Millisecond, "process %d still runs", pid)
}

// The program may be a script that starts Envoy as another process.
func TestStoppingEndsTheWholeProcessGroup(t *testing.T) {
	const grace = 500 * time.Millisecond
	for name, script := range map[string]string{
		"a wrapper without exec":          `sleep 300 & echo $! >$dir/pid; wait`,
		"a wrapper that redirects output": `sleep 300 >/dev/null 2>&1 & echo $! >$dir/pid; wait`,
		"a wrapper that ignores SIGTERM":  `trap "" TERM; sleep 300 & echo $! >$dir/pid; wait`,
		"an Envoy that ignores SIGTERM":   `sh -c 'trap "" TERM; echo $$ >'$dir'/pid; while :; do sleep 1; done' & trap "exit 0" TERM; wait`,
		"a wrapper with exec":             `echo $$ >$dir/pid; exec sleep 300`,
	} {
		t.Run(name, func(t *testing.T) {
			binary, dir := standIn(t, script)
			p := Process{Binary: binary, Bootstrap: &bootstrapv3.Bootstrap{}, Dir: dir, Grace: grace, Log: slog.New(slog.DiscardHandler)}
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- p.Run(ctx) }()
			pid := pidIn(t, dir)
			start := time.Now()
			stop()
			select {
			case err := <-ended:
				require.NoError(t, err)
			case <-time.After(grace + 30*time.Second):
				_ = syscall.Kill(pid, syscall.SIGKILL)
				t.Fatal("Run did not return")
			}
			require.Less(t, time.Since(start), grace+20*time.Second, "the program sleeps for minutes")
			requireEnded(t, pid)
		})
	}
}

// A process that is left would keep the port.
func TestAProgramThatLeavesProcessesBehindIsAnError(t *testing.T) {
	binary, dir := standIn(t, `sleep 300 & echo $! >$dir/pid`)
	p := Process{Binary: binary, Bootstrap: &bootstrapv3.Bootstrap{}, Dir: dir, Grace: 300 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
	require.ErrorContains(t, p.Run(t.Context()), "run Envoy in the foreground")
	requireEnded(t, pidIn(t, dir))
}

func TestReadingTheVersionTimesOut(t *testing.T) {
	t.Parallel()
	binary, dir := standIn(t, `sleep 300 & echo $! >$dir/pid; wait`)
	start := time.Now()
	_, err := versionOf(t.Context(), binary, 3*time.Second) // the script has written its file by then
	require.ErrorContains(t, err, "--version did not end within 3s")
	require.Less(t, time.Since(start), versionGrace+20*time.Second)
	requireEnded(t, pidIn(t, dir))
}
