package deploy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
)

// withIssuer is a configuration with a consumer whose tokens a secret verifies.
func withIssuer(t *testing.T, secret string) *config.Config {
	t.Helper()
	text := `_format_version: "3.0"
consumers: [{username: anna, jwt_secrets: [{key: anna-issuer, secret: ` + secret + `}]}]
plugins:
- name: ai-proxy-advanced
  config:
    targets:
` + target(9000)
	c, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	return c
}

func TestKeySetsThatNoConfigurationNamesAreRemoved(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	f.options.Envoy.SecretsDir = dir
	for _, name := range []string{"jwks-of-an-earlier-process.json", ".jwks-123", "somebody-elses.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	files := func() int {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		return len(entries)
	}
	expire := func() { require.NoError(t, f.expire(t.Context(), time.Now())) }

	f.apply(withIssuer(t, "one"))
	f.apply(withIssuer(t, "two"))
	expire()
	require.Equal(t, 5, files(), "an Envoy may still need them")
	f.control.acknowledged = true
	expire()
	require.Equal(t, 2, files())
	require.FileExists(t, filepath.Join(dir, "somebody-elses.json"))

	f.apply(withIssuer(t, "three"))
	require.Equal(t, 3, files())
	expire()
	require.Equal(t, 2, files())
	require.NotContains(t, f.logged.String(), "key sets")
	require.NoError(t, os.RemoveAll(dir))
	f.apply(balanced(t, 1))
	expire()
	require.Contains(t, f.logged.String(), "cannot remove key sets")
}
