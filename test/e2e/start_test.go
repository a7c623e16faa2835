package e2e_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// script writes a program that replaces Envoy.
func script(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "envoy")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	return file
}

func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// TestStartupErrorsAreOneSentence: exit status 1, within seconds, and on
// stderr what is wrong and what to do.
func TestStartupErrorsAreOneSentence(t *testing.T) {
	config := harness.WriteConfig(t, harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "gpt-4o", URL: "http://127.0.0.1:9"}}}))
	listen, status, admin := taken(t), taken(t), taken(t)
	missing := filepath.Join(t.TempDir(), "no-such-envoy")
	for _, tt := range []struct {
		name string
		args []string
		want []string // parts of the sentence
	}{
		{"listen port taken", []string{"--listen", listen}, []string{listen + " is in use by another program", "--listen"}},
		{"status port taken", []string{"--status", status}, []string{status + " is in use by another program", "--status"}},
		{"admin port taken", []string{"--admin", admin}, []string{admin + " is in use by another program", "--admin"}},
		{"Envoy missing", []string{"--envoy", missing}, []string{"--envoy", missing, "no such file"}},
		{"not an Envoy", []string{"--envoy", script(t, "echo hello")}, []string{"is not an Envoy"}},
		{"an Envoy that fails", []string{"--envoy", script(t, "exit 3")}, []string{"--envoy", "exit status 3"}},
		{"not a program", []string{"--envoy", config}, []string{"--envoy", config, "permission denied"}},
		{
			"too old",
			[]string{"--envoy", script(t, `echo "envoy  version: 0123456789abcdef/1.30.2/Clean/RELEASE/BoringSSL"`)},
			[]string{"is Envoy 1.30.2, which is too old", "1.36.0 or newer"},
		},
		{"listen is no address", []string{"--listen", "8000"}, []string{"--listen", `"8000"`, "127.0.0.1:8000"}},
		{"unknown flag", []string{"--lisen", "x"}, []string{"--lisen"}},
		{"file missing", []string{"-c", missing}, []string{missing}},
		{"embeddings", []string{"--embeddings", "magic"}, []string{"--embeddings", `"magic"`, "builtin or config"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{
				"run", "-c", config, "--listen", harness.FreeAddress(t), "--status", harness.FreeAddress(t), "--admin", "off",
				"--envoy", harness.Envoy(t), "--embeddings", "builtin", "--vectordb", "memory",
			}
			got := harness.Command(t, nil, append(args, tt.args...)...)
			require.Equal(t, 1, got.Code)
			require.Less(t, got.Took, 30*time.Second)
			require.Empty(t, got.Stdout)
			sentence := lastLine(got.Stderr)
			require.True(t, strings.HasPrefix(sentence, "semlb: "), got.Stderr)
			for _, part := range tt.want {
				require.Contains(t, sentence, part)
			}
			require.NotContains(t, got.Stderr, "Usage:")
			require.NotContains(t, got.Stderr, "goroutine ")
		})
	}
}

// lastLine is the last line of a log, which is where errors are.
func lastLine(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	return lines[len(lines)-1]
}

func TestEveryFaultOfAConfigurationIsReported(t *testing.T) {
	text := harness.Config(harness.Plugin{
		Failover:  []string{"error", "http_418"},
		Algorithm: "semantic",
		Balancer:  map[string]any{"algoritm": "semantic"},
		Targets: []harness.Target{
			{Model: "gpt-4o", Weight: 70_000, Authorization: "Bearer planted-secret"},
			{Model: "gpt-4o", Provider: "no-such-provider"},
		},
	})
	file := harness.WriteConfig(t, text)
	got := harness.Command(t, nil, "run", "-c", file, "--listen", harness.FreeAddress(t), "--status", harness.FreeAddress(t), "--admin", "off",
		"--envoy", harness.Envoy(t), "--embeddings", "builtin", "--vectordb", "memory")
	require.Equal(t, 1, got.Code)
	require.Less(t, got.Took, 30*time.Second)
	for _, part := range []string{
		"failover_criteria[1]", "http_418", "algoritm", `did you mean "algorithm"`, "targets[0].weight", "70000",
		"targets[1].model.provider", "no-such-provider",
	} {
		require.Contains(t, got.Stderr, part)
	}
	require.NotContains(t, got.Stderr, "planted-secret")
	for line := range strings.SplitSeq(got.Stderr, "\n") {
		if strings.Contains(line, "weight") {
			require.Contains(t, line, file+":", "a fault names file and line")
		}
	}
}

// TestAnEnvoyThatCrashesAtStartIsReported: Envoy ends by itself, at once.
func TestAnEnvoyThatCrashesAtStartIsReported(t *testing.T) {
	config := harness.WriteConfig(t, harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "gpt-4o", URL: "http://127.0.0.1:9"}}}))
	dying := script(t, `[ "$1" = --version ] && echo "envoy  version: 0123456789abcdef/1.40.0/Clean/RELEASE/BoringSSL" && exit 0
echo "critical cannot start for a reason" >&2
exit 7`)
	got := harness.Command(t, nil, "run", "-c", config, "--listen", harness.FreeAddress(t), "--status", harness.FreeAddress(t), "--admin", "off",
		"--envoy", dying, "--embeddings", "builtin", "--vectordb", "memory")
	require.Equal(t, 1, got.Code)
	require.Less(t, got.Took, 40*time.Second)
	require.Contains(t, lastLine(got.Stderr), "envoy ended: exit status 7")
	require.Contains(t, got.Stderr, "cannot start for a reason")
}
