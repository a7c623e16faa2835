package gateway

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
	"semlb/envoy"
	"semlb/envoy/parts"
	"semlb/wire"
)

func loaded(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	return cfg
}

const consumers = `_format_version: "3.0"
services:
- {name: on, routes: [{name: chat, paths: [/chat]}]}
- {name: off, enabled: false, routes: [{name: old, paths: [/old]}]}
consumers:
- username: anna
  keyauth_credentials: [{key: annas-key}]
  basicauth_credentials: [{username: anna-basic, password: annas-password}]
  jwt_secrets: [{key: anna-issuer, secret: annas-secret}]
- {custom_id: bob-42, id: 6f6bd1f5-7c5b-4cc9-a8d5-0a5f4a5f0d1b, keyauth_credentials: [{key: bobs-key}]}
`

func TestRoutesOfADisabledServiceAreOmitted(t *testing.T) {
	c, err := Options{Listen: netip.MustParseAddrPort("127.0.0.1:8000"), SecretsDir: t.TempDir()}.Config(loaded(t, consumers))
	require.NoError(t, err)
	require.Len(t, c.Routes, 1)
	require.Equal(t, "chat", c.Routes[0].Name)
}

func TestWithoutRoutesEveryRequestIsServed(t *testing.T) {
	c, err := Options{}.Config(loaded(t, `_format_version: "3.0"`))
	require.NoError(t, err)
	require.Equal(t, []parts.Route{{}}, c.Routes)
}

func TestCredentialsNameTheirConsumer(t *testing.T) {
	dir := t.TempDir()
	cfg := loaded(t, consumers)
	c, err := Options{SecretsDir: dir}.Config(cfg)
	require.NoError(t, err)
	require.Equal(t, []parts.APIKey{
		{Consumer: "anna", Key: wire.NewSecret("annas-key")},
		{Consumer: "6f6bd1f5-7c5b-4cc9-a8d5-0a5f4a5f0d1b", Key: wire.NewSecret("bobs-key")},
	}, c.Credentials.APIKeys)
	require.Len(t, c.Credentials.Issuers, 1)
	info, err := os.Stat(c.Credentials.Issuers[0].KeySetFile)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	consumer := Identifier(cfg)
	for header, value := range map[string]string{
		envoy.HeaderConsumer: "anna", envoy.HeaderBasicUser: "anna-basic", envoy.HeaderIssuer: "anna-issuer",
	} {
		require.Equal(t, "anna", consumer(func(name string) string {
			if name == header {
				return value
			}
			return ""
		}), header)
	}
	require.Empty(t, consumer(func(string) string { return "" }))

	var revealed []string
	for _, s := range Secrets(cfg, c.Credentials) {
		revealed = append(revealed, s.Reveal())
	}
	require.Subset(t, revealed, []string{"annas-key", "bobs-key", "annas-password", "annas-secret", c.Credentials.Users[0].Hash()})
}

func TestAChangedTokenSecretIsAnotherFile(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		c, err := Options{SecretsDir: dir}.Config(loaded(t, text))
		require.NoError(t, err)
		return c.Credentials.Issuers[0].KeySetFile
	}
	first := file(consumers)
	before, err := os.Stat(first)
	require.NoError(t, err)
	require.Equal(t, first, file(consumers))
	after, err := os.Stat(first)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "a file that is there is not written again")
	require.NoError(t, os.WriteFile(first, []byte("{"), 0o600))
	require.Equal(t, first, file(consumers))
	text, err := os.ReadFile(first)
	require.NoError(t, err)
	require.Contains(t, string(text), `"keys"`, "half a file is replaced")
	require.NotEqual(t, first, file(strings.ReplaceAll(consumers, "annas-secret", "another")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "and nothing is left behind")
	_, err = Options{}.Config(loaded(t, consumers))
	require.ErrorContains(t, err, "jwt secret of consumer anna: give --secrets-dir DIR")
}

func TestProvidersOverTLSNeedSomethingToVerifyThemWith(t *testing.T) {
	https := []parts.Upstream{{Scheme: "http", Host: "a"}, {Scheme: "https", Host: "b"}}
	require.ErrorContains(t, Options{}.CheckTrust(https), "--trusted-ca FILE")
	require.NoError(t, Options{}.CheckTrust(https[:1]))
	require.NoError(t, Options{TrustedCA: "ca.pem"}.CheckTrust(https))
}
