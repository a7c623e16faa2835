package seed_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/cli"
	"semlb/test/harness"
)

// asCommand has the test's program be semlb instead.
const asCommand = "SEMLB_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System()))
	}
	goleak.VerifyTestMain(m)
}

// process runs a command line in a process of its own, so that whatever a library
// writes past semlb's own output is seen too.
func process(t *testing.T, args ...string) harness.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = []string{asCommand + "=1", keyVariable + "=" + key}
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if failed := new(exec.ExitError); !errors.As(err, &failed) {
		require.NoError(t, err)
	}
	return harness.Result{Code: c.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}
