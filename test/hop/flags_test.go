package hop_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

func TestWrongFlagsOfHopAndReplicasAreReportedInOneSentence(t *testing.T) {
	config := harness.WriteConfig(t, harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "gpt-4o", URL: "http://127.0.0.1:9"}}}))
	long := "/tmp/" + strings.Repeat("x", 120)
	for _, tt := range []struct {
		name string
		args []string
		want []string // parts of the sentence
	}{
		{"neither", []string{"serve", "-c", config, "--hop", "tcp"}, []string{"--hop", `"tcp"`, "internal or uds"}},
		{"path too long", []string{"envoy", "--hop", "uds", "--hop-socket", long}, []string{"--hop uds", "1 to 107 bytes"}},
		{"no path", []string{"serve", "-c", config, "--hop", "uds", "--hop-socket", ""}, []string{"--hop uds", "1 to 107 bytes"}},
		{"no port", []string{"envoy", "--grpc-address", "semlb"}, []string{"--grpc-address", `"semlb"`, "semlb:8081"}},
		{"name and socket", []string{"envoy", "--grpc-address", "semlb:8081", "--grpc-address", "/run/semlb.sock"}, []string{"--grpc-address", "no DNS name together with a Unix socket"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := harness.Command(t, nil, tt.args...)
			require.Equal(t, 1, got.Code)
			require.Empty(t, got.Stdout)
			require.True(t, strings.HasPrefix(got.Stderr, "semlb: "), got.Stderr)
			for _, part := range tt.want {
				require.Contains(t, got.Stderr, part)
			}
		})
	}
}

// TestOnlyItsOwnerMayConnectToTheHopsSocket: semlb trusts the headers of a client that can connect.
func TestOnlyItsOwnerMayConnectToTheHopsSocket(t *testing.T) {
	t.Setenv("SEMLB_HOP", "uds")
	t.Setenv("TMPDIR", t.TempDir())
	stub := harness.NewStub(t, "stub")
	s := harness.Start(t, harness.Options{Config: harness.Config(harness.Plugin{Targets: []harness.Target{{Model: "gpt-4o", URL: stub.URL}}})})
	require.Equal(t, 200, s.Post(harness.NewClient(t, harness.HTTP1), harness.Chat("hello")).Status)
	sockets, err := filepath.Glob(filepath.Join(os.TempDir(), "semlb-*", "hop.sock"))
	require.NoError(t, err)
	require.Len(t, sockets, 1)
	info, err := os.Stat(sockets[0])
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
}
