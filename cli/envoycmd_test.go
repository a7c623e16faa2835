package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/envoy/render"
)

func TestEnvoyPrintsForAPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kong.yaml")
	require.NoError(t, os.WriteFile(file, []byte(scoped), 0o600))
	print := func(flags ...string) string {
		t.Helper()
		code, stdout, stderr := command(t, append([]string{"envoy", "-c", file, "--trusted-ca", file}, flags...)...)
		require.Zero(t, code, stderr)
		require.NotEmpty(t, stdout)
		return stdout
	}
	for _, r := range render.Renderers() {
		print("--for", r.Name)
	}
	require.Equal(t, print(), print("--for", "xds"))
	require.Equal(t, print("--static"), print("--for", "static"))
	require.NotEqual(t, print(), print("--static"))
}

func TestEnvoyListsThePlacesThatItKnows(t *testing.T) {
	for want, flags := range map[string][]string{
		`--for: got "nowhere", want one of xds, `:        {"--for", "nowhere"},
		"if any flags in the group [for static] are set": {"--for", "xds", "--static"},
	} {
		code, stdout, stderr := command(t, append([]string{"envoy"}, flags...)...)
		require.NotZero(t, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
	}
}
