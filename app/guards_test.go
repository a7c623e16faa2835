package app

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
)

func TestWhatForeignListenersMustDoForPluginsIsSaid(t *testing.T) {
	cfg := &config.Config{Guarding: []config.GuardPlugin{
		{Name: "key-auth", Enabled: true, Settings: &config.KeyAuth{}},
		{Name: "acl", Enabled: true, Scope: config.Scope{Route: "r"}, Settings: &config.ACL{}},
		{Name: "jwt", Scope: config.Scope{Route: "r"}, Settings: &config.JWT{}},
		{Name: "cors", Enabled: true, Settings: &config.CORS{}},
	}}
	var log bytes.Buffer
	o := Options{Log: slog.New(slog.NewTextHandler(&log, nil))}
	o.noteGuards(cfg)
	require.Contains(t, log.String(), `plugins="[acl cors]"`)
	log.Reset()
	o.noteGuards(&config.Config{Guarding: cfg.Guarding[:1]})
	o.Envoy = &EnvoyOptions{}
	o.noteGuards(cfg)
	require.Empty(t, log.String())
}
