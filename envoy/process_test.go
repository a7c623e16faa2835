package envoy

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatEnvoySaysIsRedacted(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "envoy")
	require.NoError(t, os.WriteFile(binary, []byte("#!/bin/sh\necho \"warning regex 'annas-key(' is invalid\" >&2\necho \"error key annas-key\" >&2\n"), 0o700))
	var log bytes.Buffer
	p := &Process{
		Binary: binary, Dir: dir, Bootstrap: Bootstrap(BootstrapOptions{NodeID: "test"}),
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
		Redact: func(text string) string { return strings.ReplaceAll(text, "annas-key", "[redacted]") },
	}
	require.ErrorContains(t, p.Run(t.Context()), "envoy ended")
	require.Contains(t, log.String(), "regex '[redacted](' is invalid")
	require.Contains(t, log.String(), "key [redacted]")
	require.NotContains(t, log.String(), "annas-key")
}
