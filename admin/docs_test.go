package admin

import (
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

func TestDocumentedCommandsWork(t *testing.T) {
	doc, err := os.ReadFile("../docs/admin-api.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(doc), "```sh\n")
	require.True(t, found)
	script, _, found := strings.Cut(rest, "```")
	require.True(t, found)

	s := serve(t, Options{KonnectToken: wire.NewSecret("konnect-token")})
	u, err := url.Parse(s.url)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", strings.ReplaceAll(script, "localhost:8001", "localhost:"+u.Port()))
	cmd.Env = append(os.Environ(), "KONNECT_TOKEN=konnect-token", "no_proxy=*")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "alices-key")
	require.Equal(t, 2, s.inForce().Plugins[0].Settings.Balancer.Retries)
	require.Equal(t, "alices-key", s.inForce().Consumers[0].KeyAuth[0].Key.Reveal())
	require.Empty(t, s.inForce().Consumers[0].Groups)
}
