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
	printed := func(flags ...string) string {
		t.Helper()
		code, stdout, stderr := command(t, append([]string{"envoy", "-c", file, "--trusted-ca", file}, flags...)...)
		require.Zero(t, code, stderr)
		require.NotEmpty(t, stdout)
		return stdout
	}
	for _, r := range render.Renderers() {
		printed("--for", r.Name)
	}
	require.Equal(t, printed(), printed("--for", "xds"))
	require.Equal(t, printed("--static"), printed("--for", "static"))
	require.NotEqual(t, printed(), printed("--static"))
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
