package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// swapped is a folder of links into "..data", as Kubernetes mounts ConfigMaps and
// Secrets, and what replaces its one file as Kubernetes does.
func swapped(t *testing.T, folder, name string) (replace func(version, text string)) {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.Symlink(filepath.Join("..data", name), filepath.Join(folder, name)))
	return func(version, text string) {
		require.NoError(t, os.Mkdir(filepath.Join(folder, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, version, name), []byte(text), 0o600))
		require.NoError(t, os.Symlink(version, filepath.Join(folder, "..tmp")))
		require.NoError(t, os.Rename(filepath.Join(folder, "..tmp"), filepath.Join(folder, "..data")))
	}
}

func TestAChangedFileIsAChangedConfiguration(t *testing.T) {
	dir, secrets := t.TempDir(), t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	replaceFile := swapped(t, filepath.Join(dir, "map"), "kong.yaml")
	replaceSecret := swapped(t, filepath.Join(secrets, "kong", "openai"), "header")
	replaceFile("..1", "a")
	replaceSecret("..1", "a")
	current := func() fingerprint { return fingerprintOf([]string{link}, secrets) }

	last := current()
	for _, change := range []struct {
		name string
		make func()
	}{
		{"a file behind a link to its folder is replaced", func() { replaceFile("..2", "a") }},
		{"a file is added", func() { require.NoError(t, os.WriteFile(filepath.Join(dir, "more.yaml"), nil, 0o600)) }},
		{"a file is changed in place", func() { require.NoError(t, os.WriteFile(filepath.Join(dir, "more.yaml"), []byte("a"), 0o600)) }},
		{"a secret is replaced", func() { replaceSecret("..2", "a") }},
		{"a secret is added", func() { swapped(t, filepath.Join(secrets, "other"), "key")("..1", "a") }},
		{"the secrets are gone", func() { require.NoError(t, os.RemoveAll(secrets)) }},
		{"the files are gone", func() { require.NoError(t, os.RemoveAll(dir)) }},
	} {
		require.Equal(t, last, current(), "nothing changed before %s", change.name)
		change.make()
		now := current()
		require.NotEqual(t, last, now, change.name)
		last = now
	}
}

func TestAChangeOfAFileThatAScriptNamesIsSeen(t *testing.T) {
	dir := t.TempDir()
	script, named := filepath.Join(dir, "setup.sh"), filepath.Join(dir, "kong.yaml")
	require.NoError(t, os.WriteFile(script, []byte("deck gateway sync kong.yaml"), 0o600))
	o := DefaultOptions()
	o.Files, o.Log = []string{script}, slog.New(slog.DiscardHandler)
	s := &source{options: &o}
	_, err := s.load(t.Context())
	require.Error(t, err, "the file is missing")
	require.False(t, s.changed())
	for _, text := range []string{"_format_version: \"3.0\"\n", "_format_version: \"3.0\"\nplugins: []\n"} {
		require.NoError(t, os.WriteFile(named, []byte(text), 0o600))
		require.True(t, s.changed())
		_, err = s.load(t.Context())
		require.NoError(t, err)
		require.False(t, s.changed())
	}
}

func TestANewFileOfADirectoryThatAScriptNamesIsSeen(t *testing.T) {
	dir := t.TempDir()
	script, below := filepath.Join(dir, "setup.sh"), filepath.Join(dir, "state", "team")
	require.NoError(t, os.MkdirAll(below, 0o700))
	require.NoError(t, os.WriteFile(script, []byte("deck gateway sync state"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "state", "a.yaml"), []byte("_format_version: \"3.0\"\n"), 0o600))
	o := DefaultOptions()
	o.Files, o.Log = []string{script}, slog.New(slog.DiscardHandler)
	s := &source{options: &o}
	_, err := s.load(t.Context())
	require.NoError(t, err)
	require.False(t, s.changed())
	require.NoError(t, os.WriteFile(filepath.Join(below, "b.yaml"), []byte("_format_version: \"3.0\"\n"), 0o600))
	require.True(t, s.changed())
}
