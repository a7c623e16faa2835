// Package golden compares what tests make with files.
package golden

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Updates reports whether files are written instead of compared: UPDATE_GOLDEN=1 asks for
// that.
func Updates() bool { return os.Getenv("UPDATE_GOLDEN") != "" }

// Check compares a text with a file, or writes the file if that is asked for.
func Check(t testing.TB, file, got string) {
	t.Helper()
	if Updates() {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run make golden generate and look at the difference")
}
