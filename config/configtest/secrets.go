package configtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Mount writes a Secret as Kubernetes mounts it: a folder of links into "..data",
// which is a link to a folder of its own for each version.
func Mount(t *testing.T, folder, version string, data map[string]string) {
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

// MountedCluster refers to Secrets that no file has.
var MountedCluster = Resource("KongPlugin", "p", "", "plugin: ai-proxy-advanced"+strings.Replace(PluginConfig, "allow_override: false", "header_name: A", 1)+
	"configPatches: [{path: /targets/0/auth/header_value, valueFrom: {secretKeyRef: {name: openai, key: header}}}]") +
	Resource("KongPlugin", "q", "", "plugin: ai-proxy-advanced\nconfigFrom: {secretKeyRef: {name: whole, key: config}}") +
	Resource("Service", "s", "konghq.com/plugins: p", "") + Resource("Service", "s2", "konghq.com/plugins: q", "") +
	Resource("KongConsumer", "c", "", "username: anna\ncredentials: [one, two, three, four]")

// MountedSecrets returns a directory of mounted Secrets that [MountedCluster] refers to.
func MountedSecrets(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	Mount(t, filepath.Join(dir, "kong", "openai"), "..1", map[string]string{"header": `"Bearer ` + Marker + `"`})
	Mount(t, filepath.Join(dir, "whole"), "..1", map[string]string{
		"config": `{"targets": [{"route_type": "llm/v1/chat", "model": {"provider": "openai", "name": "m"}, "auth": {"header_name": "A", "header_value": "` + Marker + `"}}]}`,
	})
	Mount(t, filepath.Join(dir, "one"), "..1", map[string]string{"key": "$" + Marker})
	Mount(t, filepath.Join(dir, "two"), "..1", map[string]string{"username": "anna", "password": Marker})
	Mount(t, filepath.Join(dir, "three"), "..1", map[string]string{"key": "issuer", "secret": Marker, "algorithm": "HS512"})
	Mount(t, filepath.Join(dir, "four"), "..1", map[string]string{"key": Marker + "\n", "kongCredType": "key-auth\n"})
	return dir
}
