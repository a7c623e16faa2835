package kubernetes_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

func TestMountedSecretsAreThoseOfResources(t *testing.T) {
	dir := configtest.MountedSecrets(t)
	c, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.MountedCluster)}}, load.Options{SecretsDir: dir})
	require.NoError(t, err)
	require.Empty(t, configtest.BesideReach(warnings))
	require.Equal(t, "Bearer "+configtest.Marker, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
	require.Equal(t, configtest.Marker, c.Plugins[1].Settings.Targets[0].Auth.HeaderValue.Reveal())
	anna := c.Consumers[0]
	require.Equal(t, "$"+configtest.Marker, anna.KeyAuth[0].Key.Reveal(), "what a Secret holds is not looked into")
	require.Equal(t, configtest.Marker+"\n", anna.KeyAuth[1].Key.Reveal(), "the bytes are those of the file")
	require.Equal(t, configtest.Marker, anna.BasicAuth[0].Password.Reveal())
	require.Equal(t, "HS512", anna.JWTSecrets[0].Algorithm)

	configtest.Mount(t, filepath.Join(dir, "kong", "openai"), "..2", map[string]string{"header": `"new"`})
	c = configtest.Load(t, configtest.MountedCluster, load.Options{SecretsDir: dir})
	require.Equal(t, "new", c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
}

func TestASecretOfTheFilesComesBeforeAMountedOne(t *testing.T) {
	c := configtest.Load(t, configtest.MountedCluster+configtest.Resource("Secret", "openai", "", `stringData: {header: '"of the file"'}`), load.Options{SecretsDir: configtest.MountedSecrets(t)})
	require.Equal(t, "of the file", c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
}

func TestSecretsThatAreNotMountedAreNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kong"), nil, 0o600), "a file in the place of a folder")
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.MountedCluster)}}, load.Options{SecretsDir: dir})
	where := " in the files or in " + dir
	require.EqualError(t, err, strings.Join([]string{
		`kong.yaml:14: configPatches[0].valueFrom.secretKeyRef: no key "header" of a secret "openai"` + where,
		`kong.yaml:23: configFrom.secretKeyRef: no key "config" of a secret "whole"` + where,
		`kong.yaml:48: credentials: no secret "one"` + where,
		`kong.yaml:48: credentials: no secret "two"` + where,
		`kong.yaml:48: credentials: no secret "three"` + where,
		`kong.yaml:48: credentials: no secret "four"` + where,
	}, "\n"))
	_, _, err = load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.MountedCluster)}}, load.Options{SecretsDir: dir, AllowUnset: true})
	require.NoError(t, err)
}

func TestFaultsOfMountedSecretsDoNotShowThem(t *testing.T) {
	dir := configtest.MountedSecrets(t)
	configtest.Mount(t, filepath.Join(dir, "kong", "openai"), "..2", map[string]string{"header": "[" + configtest.Marker})
	configtest.Mount(t, filepath.Join(dir, "whole"), "..2", map[string]string{"config": strings.Repeat(configtest.Marker, 1<<18)})
	configtest.Mount(t, filepath.Join(dir, "one"), "..2", map[string]string{"key": "", "kongCredType": configtest.Marker})
	_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.MountedCluster)}}, load.Options{SecretsDir: dir})
	require.ErrorContains(t, err, "kong.yaml:14: configPatches[0].valueFrom.secretKeyRef: got a secret with an invalid value")
	require.ErrorContains(t, err, "kong.yaml:23: configFrom.secretKeyRef: read secret kong/whole: ")
	require.ErrorContains(t, err, "got more than 1048576 bytes")
	require.NotContains(t, configtest.EveryWayToPrint(t, err)+configtest.EveryWayToPrint(t, warnings), configtest.Marker)
}
