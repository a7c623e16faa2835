package cli

import (
	"crypto/sha1" //nolint:gosec // of a test's own
	"encoding/base64"
	"encoding/pem"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
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

// TestNoCredentialOfAConsumerIsPrinted: what checks them is not Envoy.
func TestNoCredentialOfAConsumerIsPrinted(t *testing.T) {
	file := fileOf(t, "kong.yaml", configtest.Minimal+`
consumers:
- username: anna
  keyauth_credentials: [{key: key-of-anna}]
  basicauth_credentials: [{username: user-of-anna, password: password-of-anna}]
  jwt_secrets: [{key: issuer-of-anna, secret: secret-of-anna}]
`)
	code, printed, stderr := command(t, "envoy", "--static", "-c", file, "--trusted-ca", file)
	require.Zero(t, code, stderr)
	for _, name := range []string{"key", "user", "password", "issuer", "secret"} {
		text := []byte(name + "-of-anna")
		hash := sha1.Sum(text) //nolint:gosec // as Envoy's own filter would read it
		for _, form := range [][]byte{text, hash[:]} {
			require.NotContains(t, printed, string(form))
			require.NotContains(t, printed, base64.StdEncoding.EncodeToString(form))
		}
	}
	require.NotContains(t, printed, "anna")
}

func TestEnvoyNeedsNoKeys(t *testing.T) {
	const text = `_format_version: "3.0"
consumers: [{username: anna, keyauth_credentials: [{key: "{vault://env/anna-key}"}]}]
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: semantic}
    embeddings: {auth: {header_name: A, header_value: $EMBED_KEY}, model: {provider: openai, name: e}}
    vectordb: {strategy: redis, dimensions: 2, distance_metric: cosine, redis: {host: localhost, password: "{vault://env/redis-password}"}}
    targets: [{route_type: llm/v1/chat, description: d, model: {provider: openai, name: m, options: {upstream_url: UPSTREAM}},
      auth: {header_name: A, header_value: $KEY}}]
`
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	authority := fileOf(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	file := fileOf(t, "kong.yaml", strings.Replace(text, "UPSTREAM", "http://a.example", 1))
	code, printed, stderr := command(t, "envoy", "--static", "-c", file, "--trusted-ca", authority)
	require.Zero(t, code, stderr)
	require.Contains(t, printed, "a.example")
	require.NotContains(t, printed, "unset")
	code, _, stderr = command(t, "envoy", "--static", "-c", fileOf(t, "kong.yaml", strings.Replace(text, "UPSTREAM", `'${{ env "DECK_HOST" }}'`, 1)), "--trusted-ca", authority)
	require.NotZero(t, code)
	require.Contains(t, stderr, "DECK_HOST is not set")
	require.NotContains(t, stderr, "KEY is not set")
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

// listedFlags are the flags that the help of a command lists.
func listedFlags(t *testing.T, name string) (flags []string) {
	t.Helper()
	code, help, _ := command(t, name, "--help")
	require.Zero(t, code)
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-[a-z], | +)--([a-z-]+)`).FindAllStringSubmatch(help, -1) {
		flags = append(flags, m[1])
	}
	return flags
}

// Whatever the help of envoy lists changes what is printed, or is about the files or the log.
func TestTheHelpOfEnvoyListsWhatHasAMeaningThere(t *testing.T) {
	listed := listedFlags(t, "envoy")
	file := fileOf(t, "kong.yaml", scoped)
	printed := func(flags ...string) string {
		code, stdout, stderr := command(t, append([]string{"envoy", "--static", "-c", file, "--trusted-ca", file}, flags...)...)
		require.Zero(t, code, stderr)
		return stdout
	}
	values := map[string][]string{
		"decision-budget": {"3s"}, "envoy-memory": {"300"}, "dns-resolver": {"10.0.0.2"}, "envoy-admin": {"127.0.0.1:9901"}, "grpc-address": {"semlb:8081"}, "grpc-listen": {"127.0.0.1:8081"},
		"grpc-socket": {"/tmp/other.sock"}, "hop": {"uds"}, "hop-socket": {"/tmp/other.sock", "--hop", "uds"}, "listen": {"127.0.0.1:9000"},
		"provider-url": {"openai=http://127.0.0.1:9001"}, "send-timeout": {"2m"}, "trusted-ca": {"/other.pem"},
	}
	for name, value := range values {
		require.Contains(t, listed, name)
		require.NotEqual(t, printed(value[1:]...), printed(append([]string{"--" + name}, value...)...), "--%s", name)
	}
	ofFiles := []string{"config", "for", "help", "ignore-plugin", "ingress-class", "kong-version", "log-format", "log-level", "secrets", "static"}
	require.ElementsMatch(t, slices.AppendSeq(ofFiles, maps.Keys(values)), listed)

	same, accepted := printed(), slices.Clone(listed)
	for name, value := range map[string]string{
		"admin": "off", "admin-host": "a", "admin-token": "t", "status": "127.0.0.1:1", "max-body-memory": "1",
		"max-retry-after": "1s", "store-sync": "1s", "embeddings": "builtin", "vectordb": "memory",
		"drain": "1s", "grpc-socket-mode": "0660", "grpc-socket-group": "0",
	} {
		require.Equal(t, same, printed("--"+name, value), "--%s is accepted, as by serve", name)
		accepted = append(accepted, name)
	}
	for _, name := range listedFlags(t, "serve") {
		require.True(t, name == "state" || slices.Contains(accepted, name), "--%s of serve is accepted", name)
	}
	code, stdout, stderr := command(t, "envoy", "--static", "--state", file)
	require.Equal(t, 1, code)
	require.Empty(t, stdout, "not the example of the demonstration")
	require.Contains(t, stderr, "want the configuration as -c FILE")
}
