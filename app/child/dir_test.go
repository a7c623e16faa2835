package child

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The admin interface in it stops Envoy and shows what Envoy knows.
func TestOnlyTheUserReadsTheFilesOfEnvoy(t *testing.T) {
	dir, remove, err := MakeDir(t.Context())
	require.NoError(t, err)
	defer remove()
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}
