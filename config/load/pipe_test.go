package load

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

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kong.yaml")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}

func TestANamedPipeIsReadWhenAWriterComes(t *testing.T) {
	path := fifo(t)
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(path, []byte("a: b"), 0o600) }()
	sources, err := ReadFiles(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, <-written)
	require.Equal(t, "a: b", string(sources[0].Data))
}

func TestAPipeThatNothingIsWrittenToIsAnError(t *testing.T) {
	path := fifo(t)
	_, err := patience{writer: time.Millisecond, silence: time.Hour, whole: time.Hour}.read(t.Context(), path)
	require.EqualError(t, err, path+": a named pipe that nothing was written to within 1ms")

	writer, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer writer.Close()
	_, err = patience{writer: time.Hour, silence: time.Millisecond, whole: time.Hour}.read(t.Context(), path)
	require.EqualError(t, err, path+": nothing was written to it for 1ms")
	for _, p := range []string{path, fifo(t)} { // with a writer and without one
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		_, err = ReadFiles(ctx, p)
		require.ErrorIs(t, err, context.Canceled)
	}
}

// TestStandardInputMayBeASocket in a process of its own: programs that are written in
// JavaScript give those that they start one.
func TestStandardInputMayBeASocket(t *testing.T) {
	const text = "a: b"
	if os.Getenv("STDIN_IS_A_SOCKET") != "" {
		sources, err := ReadFiles(t.Context(), "-")
		require.NoError(t, err)
		require.Equal(t, text, string(sources[0].Data))
		return
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer theirs.Close()
	_, err = ours.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, ours.Close())
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env, child.Stdin = append(os.Environ(), "STDIN_IS_A_SOCKET=1"), theirs
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestAByteOrderMarkIsSkipped(t *testing.T) {
	for name, text := range map[string]string{
		"a.yaml": "_format_version: \"3.0\"\n", "a.json": "{\"_format_version\": \"3.0\"}", "a.sh": "curl a.example\n",
		"main.tf": "locals {}\n", "a.tfvars": "a = 1\n", "terraform.tfvars.json": "{\"a\": 1}", "bare": "#!/bin/sh\n",
	} {
		_, _, err := Sources([]Source{{Name: name, Data: []byte("\uFEFF" + text)}}, Options{})
		require.NoError(t, err, name)
	}
}
