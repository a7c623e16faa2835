package harness

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"semlb/test/tools"
	"semlb/vectordb/redis"
	"semlb/vectordb/redistest"
)

// Main is the TestMain of the suites: it runs the tests, and fails if they left
// goroutines behind. Each of last may change the exit code.
func Main(m *testing.M, last ...func(code int) int) {
	built.parent = os.TempDir()                         // tests change TMPDIR
	redis.RouteClientLog(slog.New(slog.DiscardHandler)) // the tests' own clients log every failed connection
	goleak.VerifyTestMain(m, redistest.IgnoreProbe(), goleak.Cleanup(func(code int) {
		for _, f := range last {
			code = f(code)
		}
		removeBuilt()
		os.Exit(code)
	}))
}

// built is the binary of semlb, from the first call of Build on.
var built struct {
	parent string
	once   sync.Once
	dir    string
	err    error
	out    []byte
}

// Build compiles semlb, once for all tests of a package that has [Main] as its TestMain,
// and returns the binary.
func Build(t testing.TB) string {
	t.Helper()
	root := tools.Root(t)
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp(built.parent, "built-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(built.dir, "semlb"), ".")
		build.Dir = root
		built.out, built.err = build.CombinedOutput()
	})
	require.NoError(t, built.err, "build semlb: %s", built.out)
	return filepath.Join(built.dir, "semlb")
}

func removeBuilt() {
	if built.dir != "" {
		_ = os.RemoveAll(built.dir) // below the folder for temporary files
	}
}
