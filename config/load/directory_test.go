package load

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestADirectoryIsReadOnce however many links lead to it: two in each of forty make more ways
// than there is time for.
func TestADirectoryIsReadOnce(t *testing.T) {
	dir := t.TempDir()
	at := func(level int) string { return filepath.Join(dir, fmt.Sprint(level)) }
	for level := range 40 {
		require.NoError(t, os.Mkdir(at(level), 0o755))
		require.NoError(t, os.Symlink(at(level+1), filepath.Join(at(level), "left")))
		require.NoError(t, os.Symlink(at(level+1), filepath.Join(at(level), "right")))
	}
	require.NoError(t, os.Mkdir(at(40), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(at(40), "kong.yaml"), nil, 0o600))
	files, err := List(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
}

func TestADirectoryHasABound(t *testing.T) {
	dir := t.TempDir()
	for n := range mostFiles + 1 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), nil, 0o600))
	}
	_, err := List(dir)
	require.EqualError(t, err, dir+": more than 10000 files and directories in it")
}

// TestWhatAPipeSaidStays: a second reading would find nothing.
func TestWhatAPipeSaidStays(t *testing.T) {
	path := fifo(t)
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(path, []byte("a: b"), 0o600) }()
	var r Reader
	for range 2 {
		sources, err := r.Read(t.Context(), path)
		require.NoError(t, err)
		require.Equal(t, "a: b", string(sources[0].Data))
	}
	require.NoError(t, <-written)
	_, err := r.Read(t.Context(), filepath.Dir(path))
	require.ErrorContains(t, err, "a pipe, not a file", "in a directory nobody expects one")
}
