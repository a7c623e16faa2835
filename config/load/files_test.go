package load_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

// folder makes a directory with empty files.
func folder(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range files {
		at := filepath.Join(dir, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o700))
		require.NoError(t, os.WriteFile(at, nil, 0o600))
	}
	return dir
}

func TestFoldersStandForTheFilesBelowThem(t *testing.T) {
	dir := folder(t, "b.yaml", "a/c.tf", "a/d.sh", "z.tfvars", "e.json", "README.md", ".git/x.yaml", ".hidden.yaml")
	files, err := load.List(dir)
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		name, err := filepath.Rel(dir, file)
		require.NoError(t, err)
		names = append(names, name)
	}
	require.Equal(t, []string{"a/c.tf", "a/d.sh", "b.yaml", "e.json", "z.tfvars"}, names)
}

func TestLinksToFoldersAreFollowed(t *testing.T) {
	target, dir := folder(t, "kong.yaml"), folder(t, "own.yaml")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(target, link))
	files, err := load.List(link)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(link, "kong.yaml")}, files)

	require.NoError(t, os.Symlink(target, filepath.Join(dir, "below")))
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "circle")))
	files, err = load.List(dir)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "below", "kong.yaml"), filepath.Join(dir, "own.yaml")}, files)
}

func TestALinkToNothingCannotBeRead(t *testing.T) {
	dir := folder(t, "kong.yaml")
	require.NoError(t, os.Symlink("gone", filepath.Join(dir, "more.yaml")))
	_, err := load.ReadFiles(t.Context(), dir)
	require.ErrorContains(t, err, "more.yaml: no such file")
}
