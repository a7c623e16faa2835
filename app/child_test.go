package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

// fakeEnvoy writes a program that dies at once for n times, and then lives.
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

// keep has a service keep an Envoy until stop is called, and wait for it.
func (f *fixture) keep(binary string) (stop func() error) {
	f.t.Helper()
	o := &RunOptions{ServeOptions: *f.options}
	o.Drain = time.Second
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	c := newChild(o, f.service, binary, f.t.TempDir())
	go func() { done <- c.run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

// restarts is what semlb_envoy_restarts_total says.
func (f *fixture) restarts() float64 {
	var m dto.Metric
	require.NoError(f.t, f.envoyRestarts.Write(&m))
	return m.GetCounter().GetValue()
}

func TestAnEnvoyThatDiesIsStartedAgainEverLater(t *testing.T) {
	f := startFixture(t, plain, func(string) {})
	require.True(t, f.setReady(true))
	require.Equal(t, http.StatusOK, f.readyz())
	stop := f.keep(fakeEnvoy(t, 4))

	f.awaitReadyz(http.StatusServiceUnavailable)
	require.Eventually(t, func() bool { return f.restarts() == 4 }, waitLimit, waitStep)
	// Its connection may look for a moment as if it were still there.
	require.False(t, f.setReady(true), "it is down for 800 ms")
	require.Equal(t, http.StatusServiceUnavailable, f.readyz())
	require.Eventually(t, func() bool { return f.setReady(true) }, waitLimit, waitStep, "it runs")
	require.Equal(t, http.StatusOK, f.readyz())

	var waits []string
	for _, m := range regexp.MustCompile(`level=ERROR msg="starting Envoy again" error="envoy ended: exit status 1" in=(\S+)`).FindAllStringSubmatch(f.log.String(), -1) {
		waits = append(waits, m[1])
	}
	require.Equal(t, []string{"100ms", "200ms", "400ms", "800ms"}, waits)
	require.NoError(t, stop())
	require.NotContains(t, f.log.String(), "could be finished", "it did not come so far as to have a request")
}

func TestWithoutAnEnvoyNothingIsDrained(t *testing.T) {
	t.Run("it never started", func(t *testing.T) {
		f := startFixture(t, plain, func(string) {})
		ctx, cancel := context.WithCancel(t.Context())
		c := newChild(&RunOptions{ServeOptions: *f.options}, f.service, filepath.Join(t.TempDir(), "absent"), t.TempDir())
		require.ErrorContains(t, c.run(ctx), "start envoy")
		said := f.log.String()
		cancel()
		time.Sleep(4 * lastWords)
		require.Equal(t, said, f.log.String(), "it has ended, and says nothing more")
	})
	t.Run("it is about to be started again", func(t *testing.T) {
		f := startFixture(t, plain, func(string) {})
		f.setReady(true)
		stop := f.keep(fakeEnvoy(t, 1000))
		require.Eventually(t, func() bool { return f.restarts() >= 2 }, waitLimit, waitStep)
		require.NoError(t, stop())
		require.NotContains(t, f.log.String(), "could be finished")
	})
}
