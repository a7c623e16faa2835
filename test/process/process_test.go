package process_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/test/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAProcessIsStoppedAndItsOutputIsKept(t *testing.T) {
	p := process.Start(t, "/bin/sh", "-c", "echo hello; echo there >&2; exec sleep 60")
	require.Eventually(t, func() bool { return p.Log() == "hello\nthere\n" }, time.Minute, time.Millisecond)
	resident, err := process.Resident(p.PID())
	require.NoError(t, err)
	require.Positive(t, resident)
	_, status := p.Stop(time.Minute)
	require.Equal(t, -1, status, "ended by SIGTERM")
	p.Kill()
}

func TestAProcessHasItsChildren(t *testing.T) {
	p := process.Start(t, "/bin/sh", "-c", "sleep 60 & wait; exit 3")
	var children []int
	require.Eventually(t, func() bool {
		var err error
		children, err = p.Children()
		return err == nil && len(children) == 1
	}, time.Minute, time.Millisecond)
	require.NoError(t, syscall.Kill(children[0], syscall.SIGKILL))
	require.Equal(t, 3, p.Await(time.Minute))
}

func TestAProcessThatIsPausedCanBeKilled(t *testing.T) {
	p := process.Start(t, "/bin/sleep", "60")
	p.Pause()
	p.Kill()
	require.Equal(t, -1, p.ExitCode())
	require.Equal(t, -1, p.Await(time.Minute))
}
