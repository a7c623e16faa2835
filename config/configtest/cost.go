package configtest

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
)

// RequireCheap loads a source and says that it failed at little cost. Of time what
// the processor spent counts: other programs may have it in between.
func RequireCheap(t *testing.T, source load.Source, env func(string) (string, bool), want string) {
	t.Helper()
	var warnings []config.Warning
	var err error
	spent, allocated := Cost(t, func() { _, warnings, err = load.Sources([]load.Source{source}, load.Options{Env: env}) })
	require.ErrorContains(t, err, want)
	require.Less(t, len(err.Error()), 1<<20)
	require.Less(t, len(warnings), 5000)
	require.Less(t, spent, 10*time.Second)
	require.Less(t, allocated, uint64(1<<30))
	t.Logf("%v, %d MiB allocated", spent.Round(time.Millisecond), allocated>>20)
}

// Cost is what f takes of the processor, and the bytes it allocates in all.
func Cost(t *testing.T, f func()) (spent time.Duration, allocated uint64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processorTime(t)
	f()
	spent = processorTime(t) - start
	runtime.ReadMemStats(&after)
	return spent, after.TotalAlloc - before.TotalAlloc
}

// processorTime is what this process has had of the processor.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
