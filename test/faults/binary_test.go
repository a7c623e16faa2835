package faults_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// program is the binary of semlb, built when the first test wants it.
var program struct {
	once sync.Once
	dir  string
	err  error
	out  []byte
}

func binary(t *testing.T) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "semlb-faults-"); program.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(program.dir, "semlb"), ".")
		build.Dir = harness.Root(t)
		program.out, program.err = build.CombinedOutput()
	})
	require.NoError(t, program.err, "build semlb: %s", program.out)
	return filepath.Join(program.dir, "semlb")
}

func removeBinary() {
	if program.dir != "" {
		_ = os.RemoveAll(program.dir) // in the directory for temporary files
	}
}
