package child

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

// An Envoy whose log nobody reads blocks forever.
func TestLongLogLinesAreCut(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "envoy")
	require.NoError(t, os.WriteFile(binary, []byte(`#!/bin/sh
{ printf 'error '; head -c 3000000 /dev/zero | tr '\0' x; printf '\ncritical the end\n'; } >&2
exit 1
`), 0o700))
	var log bytes.Buffer
	p := &Process{Binary: binary, Dir: t.TempDir(), Bootstrap: &bootstrapv3.Bootstrap{}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.EqualError(t, p.Run(ctx), "envoy ended: exit status 1")
	require.Contains(t, log.String(), `text="the end"`)
	require.Contains(t, log.String(), "xxx [cut]")
	require.Equal(t, 2, strings.Count(log.String(), "envoy log"))
	require.Less(t, log.Len(), 2*maxLine)
}

func TestLogLinesAreRedacted(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "envoy")
	require.NoError(t, os.WriteFile(binary, []byte("#!/bin/sh\necho \"warning regex 'annas-key(' is invalid\" >&2\necho \"error key annas-key\" >&2\n"), 0o700))
	var log bytes.Buffer
	p := &Process{
		Binary: binary, Dir: dir, Bootstrap: &bootstrapv3.Bootstrap{},
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
		Redact: func(text string) string { return strings.ReplaceAll(text, "annas-key", "[redacted]") },
	}
	require.ErrorContains(t, p.Run(t.Context()), "envoy ended")
	require.Contains(t, log.String(), "regex '[redacted](' is invalid")
	require.Contains(t, log.String(), "key [redacted]")
	require.NotContains(t, log.String(), "annas-key")
}

func TestWhatIsKnownOfEnvoyIsNoWarning(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "envoy")
	require.NoError(t, os.WriteFile(binary, []byte(`#!/bin/sh
echo "warning message 'envoy.X' is contained in proto file 'x.proto' marked as work-in-progress. API features" >&2
echo "warning something else" >&2
`), 0o700))
	var log bytes.Buffer
	p := &Process{
		Binary: binary, Dir: dir, Bootstrap: &bootstrapv3.Bootstrap{},
		Log:    slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Redact: func(string) string { return "[redacted]" },
	}
	require.ErrorContains(t, p.Run(t.Context()), "envoy ended")
	var levels []string
	for line := range strings.Lines(log.String()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields), "each key once")
		require.Equal(t, "warning", fields["envoy_level"])
		levels = append(levels, fields["level"].(string))
	}
	require.Equal(t, []string{"DEBUG", "WARN"}, levels)
}
