package envoy

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
	"github.com/stretchr/testify/require"
)

// An Envoy whose lines nobody reads would wait for that for ever.
func TestAVeryLongLineOfEnvoyIsCut(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "envoy")
	require.NoError(t, os.WriteFile(binary, []byte(`#!/bin/sh
{ printf 'error '; head -c 3000000 /dev/zero | tr '\0' x; printf '\ncritical the end\n'; } >&2
exit 1
`), 0o700))
	var log bytes.Buffer
	p := &Process{Binary: binary, Dir: t.TempDir(), Bootstrap: &bootstrapv3.Bootstrap{}, Log: slog.New(slog.NewTextHandler(&log, nil))}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.EqualError(t, p.Run(ctx), "envoy ended: exit status 1")
	require.Contains(t, log.String(), `text="the end"`)
	require.Contains(t, log.String(), "xxx [cut]")
	require.Equal(t, 2, strings.Count(log.String(), "envoy says"))
	require.Less(t, log.Len(), 2*maxLine)
}
