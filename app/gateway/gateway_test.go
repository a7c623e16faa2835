package gateway

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
	"semlb/envoy/parts"
)

func loaded(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)
	return cfg
}

func TestRoutesOfADisabledServiceAreOmitted(t *testing.T) {
	c := Options{Listen: netip.MustParseAddrPort("127.0.0.1:8000")}.Config(loaded(t, `_format_version: "3.0"
services:
- {name: on, routes: [{name: chat, paths: [/chat]}]}
- {name: off, enabled: false, routes: [{name: old, paths: [/old]}]}
`))
	require.Len(t, c.Routes, 1)
	require.Equal(t, "chat", c.Routes[0].Name)
}

func TestWithoutRoutesEveryRequestIsServed(t *testing.T) {
	c := Options{}.Config(loaded(t, `_format_version: "3.0"`))
	require.Equal(t, []parts.Route{{}}, c.Routes)
}

func TestProvidersOverTLSNeedSomethingToVerifyThemWith(t *testing.T) {
	https := []parts.Upstream{{Scheme: "http", Host: "a"}, {Scheme: "https", Host: "b"}}
	require.ErrorContains(t, Options{}.CheckTrust(https), "--trusted-ca FILE")
	require.NoError(t, Options{}.CheckTrust(https[:1]))
	require.NoError(t, Options{TrustedCA: "ca.pem"}.CheckTrust(https))
}
