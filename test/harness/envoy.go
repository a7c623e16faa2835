package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// DefaultEnvoyVersion is what tests run on unless ENVOY_VERSION says otherwise.
const DefaultEnvoyVersion = "1.40.0"

// EnvoyVersion is the version of Envoy that tests run on.
func EnvoyVersion() string {
	if v := os.Getenv("ENVOY_VERSION"); v != "" {
		return v
	}
	return DefaultEnvoyVersion
}

// Hop is how the tests' Envoys reach their inner listeners, as --hop says it.
func Hop() string {
	if h := os.Getenv("SEMLB_HOP"); h != "" {
		return h
	}
	return "internal"
}

// HopSocket is the socket of an inner listener for an Envoy that a test configures
// itself, "" for an internal one.
func HopSocket(t testing.TB) string {
	t.Helper()
	if Hop() == "internal" {
		return ""
	}
	dir, err := os.MkdirTemp("", "hop-") // short enough for a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, "s")
}

// Envoy is the path of the Envoy that tests run on. It is installed if it is
// absent; if that fails, so does the test.
func Envoy(t testing.TB) string {
	t.Helper()
	root := Root(t)
	tools := filepath.Join(root, ".tools")
	dir := filepath.Join(tools, "envoy-"+EnvoyVersion())
	require.NoError(t, os.MkdirAll(tools, 0o755))

	// Test packages run at the same time; one of them installs.
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	require.NoError(t, err)
	defer lock.Close()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))

	install := exec.Command(filepath.Join(root, "scripts", "get-envoy.sh"), EnvoyVersion(), dir)
	install.Dir = root
	out, err := install.CombinedOutput()
	require.NoError(t, err, "install Envoy %s: %s", EnvoyVersion(), out)
	return filepath.Join(dir, "envoy")
}

// Root is the folder of the module.
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
