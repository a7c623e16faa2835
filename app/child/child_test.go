package child

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/envoy/parts"
)

const (
	waitLimit = time.Minute
	waitStep  = 5 * time.Millisecond
)

// fakeEnvoy writes a program that exits at once n times, and then keeps running.
func fakeEnvoy(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "envoy")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `#!/bin/sh
echo . >>%[1]s/runs
[ "$(wc -l <%[1]s/runs)" -gt %[2]d ] && exec sleep 60
exit 1
`, dir, n), 0o700))
	return file
}

// restarts is a watcher that counts.
type restarts struct {
	refuse           bool
	ended, restarted atomic.Int32
}

func (r *restarts) EnvoyEnded() bool {
	r.ended.Add(1)
	return !r.refuse
}

func (r *restarts) EnvoyRestarting() { r.restarted.Add(1) }

// start runs a child Envoy until stop is called, which returns its error and its log.
func start(t *testing.T, binary string, w Watcher) (stop func() (log string, err error)) {
	t.Helper()
	var log bytes.Buffer // read once its writer has ended
	e := New(Options{
		Binary: binary, Dir: t.TempDir(), NodeID: "test", Parts: parts.New(parts.Config{}),
		Drain: time.Second, Grace: time.Second, Watcher: w, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return func() (string, error) {
		cancel()
		err := <-done
		return log.String(), err
	}
}

func TestEnvoyIsRestartedAfterGrowingPauses(t *testing.T) {
	var w restarts
	stop := start(t, fakeEnvoy(t, 4), &w)
	require.Eventually(t, func() bool { return w.restarted.Load() == 4 }, waitLimit, waitStep)
	log, err := stop()
	require.NoError(t, err)
	require.EqualValues(t, 4, w.ended.Load())

	want := firstPause
	pauses := regexp.MustCompile(`level=ERROR msg="restarting Envoy" error="envoy ended: exit status 1" in=(\S+)`).FindAllStringSubmatch(log, -1)
	require.Len(t, pauses, 4)
	for _, p := range pauses {
		got, err := time.ParseDuration(p[1])
		require.NoError(t, err)
		require.InDelta(t, want, got, jitter*float64(want)+float64(time.Millisecond))
		want *= 2
	}
	require.NotContains(t, log, "could be finished", "it never had a request")
}

func TestAnEnvoyThatIsNotWantedAgainIsAnError(t *testing.T) {
	w := restarts{refuse: true}
	stop := start(t, fakeEnvoy(t, 1000), &w)
	require.Eventually(t, func() bool { return w.ended.Load() == 1 }, waitLimit, waitStep)
	log, err := stop()
	require.EqualError(t, err, "envoy ended: exit status 1")
	require.Zero(t, w.restarted.Load())
	require.NotContains(t, log, "restarting")
}

func TestNothingIsDrainedWhileEnvoyIsDown(t *testing.T) {
	t.Run("it cannot be started", func(t *testing.T) {
		w := restarts{refuse: true}
		stop := start(t, filepath.Join(t.TempDir(), "absent"), &w)
		require.Eventually(t, func() bool { return w.ended.Load() == 1 }, waitLimit, waitStep)
		log, err := stop()
		require.ErrorContains(t, err, "start envoy")
		require.Empty(t, log)
	})
	t.Run("it is about to be restarted", func(t *testing.T) {
		var w restarts
		stop := start(t, fakeEnvoy(t, 1000), &w)
		require.Eventually(t, func() bool { return w.restarted.Load() >= 2 }, waitLimit, waitStep)
		log, err := stop()
		require.NoError(t, err)
		require.NotContains(t, log, "could be finished")
	})
}

func TestABinaryThatIsNoEnvoyIsRefused(t *testing.T) {
	for script, want := range map[string]string{
		"echo hello": " is not an Envoy: it has no version",
		"echo 'envoy  version: 1c/1.35.9/Clean/RELEASE/BoringSSL'": " is Envoy 1.35.9, which is too old: 1.36.0 or newer is needed",
		"exit 3": " --version: exit status 3",
	} {
		binary, _ := standIn(t, script)
		_, err := FindBinary(t.Context(), binary)
		require.ErrorContains(t, err, "--envoy: ", script)
		require.ErrorContains(t, err, want, script)
	}
	binary, _ := standIn(t, "echo 'envoy  version: 1c/1.36.4-dev/Clean/RELEASE/BoringSSL'")
	found, err := FindBinary(t.Context(), binary)
	require.NoError(t, err)
	require.Equal(t, binary, found)
}
