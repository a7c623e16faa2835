package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mount writes a Secret as Kubernetes mounts it: a folder of links into "..data",
// which is a link to a folder of its own for each version.
func mount(t *testing.T, folder, version string, data map[string]string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, version), 0o700))
	for key, value := range data {
		require.NoError(t, os.WriteFile(filepath.Join(folder, version, key), []byte(value), 0o600))
		_ = os.Symlink(filepath.Join("..data", key), filepath.Join(folder, key))
	}
	next := filepath.Join(folder, "..data_tmp")
	require.NoError(t, os.Symlink(version, next))
	require.NoError(t, os.Rename(next, filepath.Join(folder, "..data")))
}

// mountedCluster refers to Secrets that no file has.
var mountedCluster = resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+strings.Replace(kubeConfig, "allow_override: false", "header_name: A", 1)+
	"configPatches: [{path: /targets/0/auth/header_value, valueFrom: {secretKeyRef: {name: openai, key: header}}}]") +
	resource("KongPlugin", "q", "", "plugin: ai-proxy-advanced\nconfigFrom: {secretKeyRef: {name: whole, key: config}}") +
	resource("Service", "s", "konghq.com/plugins: p", "") + resource("Service", "s2", "konghq.com/plugins: q", "") +
	resource("KongConsumer", "c", "", "username: anna\ncredentials: [one, two, three, four]")

func mountedSecrets(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mount(t, filepath.Join(dir, "kong", "openai"), "..1", map[string]string{"header": `"Bearer ` + marker + `"`})
	mount(t, filepath.Join(dir, "whole"), "..1", map[string]string{
		"config": `{"targets": [{"route_type": "llm/v1/chat", "model": {"provider": "openai", "name": "m"}, "auth": {"header_name": "A", "header_value": "` + marker + `"}}]}`,
	})
	mount(t, filepath.Join(dir, "one"), "..1", map[string]string{"key": "$" + marker})
	mount(t, filepath.Join(dir, "two"), "..1", map[string]string{"username": "anna", "password": marker})
	mount(t, filepath.Join(dir, "three"), "..1", map[string]string{"key": "issuer", "secret": marker, "algorithm": "HS512"})
	mount(t, filepath.Join(dir, "four"), "..1", map[string]string{"key": marker + "\n", "kongCredType": "key-auth\n"})
	return dir
}

func TestMountedSecretsAreThoseOfResources(t *testing.T) {
	dir := mountedSecrets(t)
	c, warnings, err := Load([]Source{{Name: "kong.yaml", Data: []byte(mountedCluster)}}, Options{SecretsDir: dir})
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Equal(t, "Bearer "+marker, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
	require.Equal(t, marker, c.Plugins[1].Settings.Targets[0].Auth.HeaderValue.Reveal())
	anna := c.Consumers[0]
	require.Equal(t, "$"+marker, anna.KeyAuth[0].Key.Reveal(), "what a Secret holds is not looked into")
	require.Equal(t, marker+"\n", anna.KeyAuth[1].Key.Reveal(), "the bytes are those of the file")
	require.Equal(t, marker, anna.BasicAuth[0].Password.Reveal())
	require.Equal(t, "HS512", anna.JWTSecrets[0].Algorithm)

	mount(t, filepath.Join(dir, "kong", "openai"), "..2", map[string]string{"header": `"new"`})
	c = load(t, mountedCluster, Options{SecretsDir: dir})
	require.Equal(t, "new", c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
}

func TestASecretOfTheFilesComesBeforeAMountedOne(t *testing.T) {
	c := load(t, mountedCluster+resource("Secret", "openai", "", `stringData: {header: '"of the file"'}`), Options{SecretsDir: mountedSecrets(t)})
	require.Equal(t, "of the file", c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
}

func TestSecretsThatAreNotMountedAreNamed(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kong"), nil, 0o600), "a file in the place of a folder")
	_, _, err := Load([]Source{{Name: "kong.yaml", Data: []byte(mountedCluster)}}, Options{SecretsDir: dir})
	where := " in the files or in " + dir
	require.EqualError(t, err, strings.Join([]string{
		`kong.yaml:14: configPatches[0].valueFrom.secretKeyRef: no key "header" of a secret "openai"` + where,
		`kong.yaml:23: configFrom.secretKeyRef: no key "config" of a secret "whole"` + where,
		`kong.yaml:48: credentials: no secret "one"` + where,
		`kong.yaml:48: credentials: no secret "two"` + where,
		`kong.yaml:48: credentials: no secret "three"` + where,
		`kong.yaml:48: credentials: no secret "four"` + where,
	}, "\n"))
	_, _, err = Load([]Source{{Name: "kong.yaml", Data: []byte(mountedCluster)}}, Options{SecretsDir: dir, AllowUnset: true})
	require.NoError(t, err)
}

func TestFaultsOfMountedSecretsDoNotShowThem(t *testing.T) {
	dir := mountedSecrets(t)
	mount(t, filepath.Join(dir, "kong", "openai"), "..2", map[string]string{"header": "[" + marker})
	mount(t, filepath.Join(dir, "whole"), "..2", map[string]string{"config": strings.Repeat(marker, 1<<18)})
	mount(t, filepath.Join(dir, "one"), "..2", map[string]string{"key": "", "kongCredType": marker})
	_, warnings, err := Load([]Source{{Name: "kong.yaml", Data: []byte(mountedCluster)}}, Options{SecretsDir: dir})
	require.ErrorContains(t, err, "kong.yaml:14: configPatches[0].valueFrom.secretKeyRef: got a secret that is none")
	require.ErrorContains(t, err, "kong.yaml:23: configFrom.secretKeyRef: read secret kong/whole: ")
	require.ErrorContains(t, err, "got more than 1048576 bytes")
	require.NotContains(t, everyWayToPrint(t, err)+everyWayToPrint(t, warnings), marker)
}

func TestNamesOfSecretsDoNotLeaveTheirDirectory(t *testing.T) {
	dir := mountedSecrets(t)
	outside := filepath.Dir(dir)
	for _, name := range []string{"../" + filepath.Base(dir) + "/one", "..", ".", "one/..data", filepath.Join(outside, "one")} {
		found, err := secretDir(dir).secret(objectKey{"kong", name})
		require.NoError(t, err)
		require.Nil(t, found, name)
		found, err = secretDir(dir).secret(objectKey{name, "one-is-not-there"})
		require.NoError(t, err)
		require.Nil(t, found, name)
	}
}
