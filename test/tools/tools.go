// Package tools finds the programs that tests run, below .tools of the checkout, and
// installs them with the scripts of scripts/ where they are missing. It never skips a
// test: what cannot be installed fails it.
package tools

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// installTimeout bounds one script. The largest download is one of 60 MB.
const installTimeout = 5 * time.Minute

// redisVariable is the environment variable that names a folder filled by
// scripts/get-redis.sh, for machines that keep it elsewhere.
const redisVariable = "SEMLB_REDIS_STACK"

// Root returns the folder of go.mod, at or above the folder that a test runs in.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the test's folder")
		dir = parent
	}
}

// Envoy returns the path of an Envoy, such as "1.40.0".
func Envoy(t testing.TB, version string) string {
	t.Helper()
	dir := filepath.Join(Root(t), ".tools", "envoy-"+version)
	install(t, "get-envoy.sh", version, dir)
	return filepath.Join(dir, "envoy")
}

// ValidateEnvoy fails the test if an Envoy refuses a configuration. Args may add to it.
func ValidateEnvoy(t testing.TB, version, config string, args ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "envoy.json")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	args = append([]string{"--mode", "validate", "--log-level", "error", "-c", file}, args...)
	out, err := exec.CommandContext(t.Context(), Envoy(t, version), args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// Redis returns the folder with redis-server and redis-stack-server.
func Redis(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(redisVariable); dir != "" {
		require.FileExists(t, filepath.Join(dir, "redis-stack-server"), "%s: run scripts/get-redis.sh %s", redisVariable, dir)
		return dir
	}
	dir := filepath.Join(Root(t), ".tools", "redis-stack")
	if _, err := os.Stat(filepath.Join(dir, "redis-stack-server")); err != nil {
		install(t, "get-redis.sh", dir)
	}
	return dir
}

// SDKs returns the folder with OpenAI's SDKs, in sdk-python and sdk-node.
func SDKs(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(Root(t), ".tools")
	install(t, "get-sdks.sh", dir)
	return dir
}

// install runs a script, which ends at once if all is there. Test packages run at the
// same time, so they take turns.
func install(t testing.TB, script string, args ...string) {
	t.Helper()
	root := Root(t)
	require.NoError(t, os.MkdirAll(filepath.Join(root, ".tools"), 0o755))
	lock, err := os.OpenFile(filepath.Join(root, ".tools", script+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	require.NoError(t, err)
	defer lock.Close()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))

	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(root, "scripts", script), args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "scripts/%s: %s", script, out)
}
