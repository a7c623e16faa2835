package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fileOf writes a file and returns its path.
func fileOf(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// Fields of Kong 3.13 and a default that 3.13 changed, in Kubernetes' form and in decK's.
const (
	newerDeck = `plugins:
- name: ai-proxy-advanced
  config:
    balancer: {max_fails: 3}
    targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]
`
	otherClass = `apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata:
  name: p
  labels: {global: "true"}
  annotations: {kubernetes.io/ingress.class: edge}
plugin: ai-proxy-advanced
config:
  targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}}]
`
)

// loading are the commands that read a configuration, with the arguments that name it.
func loading(file string) map[string][]string {
	return map[string][]string{
		"validate": {"validate", file},
		"convert":  {"convert", "--to", "deck", file},
		"explain":  {"explain", "-c", file, "--embeddings", "builtin", "a prompt"},
		"envoy":    {"envoy", "--static", "-c", file},
	}
}

func TestTheKongVersionAppliesToEveryCommandThatReads(t *testing.T) {
	file := fileOf(t, "kong.yaml", newerDeck)
	for name, args := range loading(file) {
		code, _, stderr := command(t, append(args, "--kong-version", "3.13")...)
		require.Zero(t, code, "%s: %s", name, stderr)
		code, _, stderr = command(t, append(args, "--kong-version", "3.12")...)
		require.Equal(t, 1, code, name)
		require.Contains(t, stderr, "kong.yaml:4: plugins[0].config.balancer.max_fails: got a field of Kong 3.13, newer than the configuration's version", name)
	}
}

func TestTheIngressClassAppliesToEveryCommandThatReads(t *testing.T) {
	file := fileOf(t, "kong.yaml", otherClass)
	for name, args := range loading(file) {
		code, _, stderr := command(t, append(args, "--ingress-class", "edge")...)
		require.Zero(t, code, "%s: %s", name, stderr)
		require.NotContains(t, stderr, "class", name)
		_, _, stderr = command(t, args...)
		require.Contains(t, stderr, "of another ingress class is ignored", name)
	}
}

func TestInvalidReadFlagsAreRefused(t *testing.T) {
	file := fileOf(t, "kong.yaml", newerDeck)
	all := loading(file)
	all["serve"] = []string{"serve", "-c", file}
	all["run"] = []string{"run", "-c", file}
	for name, args := range all {
		for flag, want := range map[string]string{
			"--kong-version=3.x": `--kong-version: read Kong version "3.x": want a form like 3.16`,
			"--kong-version=3.7": `--kong-version: read Kong version "3.7": want 3.8 or newer, where the plugin begins, or 2.0 for the AI gateway`,
			"--kong-version=":    "--kong-version: got nothing, want a form like 3.16",
			"--ingress-class=":   "--ingress-class: got nothing, want a name such as kong",
		} {
			code, stdout, stderr := command(t, append(args, flag)...)
			require.Equal(t, 1, code, name)
			require.Empty(t, stdout, name)
			require.Equal(t, "semlb: "+want+"\n", stderr, name)
		}
	}
	code, _, stderr := command(t, "schema", "--kong-version", "3.x")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "--kong-version: ")
}

func TestSchemaDependsOnTheKongVersion(t *testing.T) {
	_, newest, _ := command(t, "schema", "--format", "admin-api")
	require.Contains(t, newest, `"max_fails"`)
	require.Contains(t, newest, `"vllm"`)
	_, old, _ := command(t, "schema", "--format", "admin-api", "--kong-version", "3.12")
	require.NotContains(t, old, `"max_fails"`)
	require.NotContains(t, old, `"vllm"`)
}

func TestSecretsAreReadFromTheirDirectory(t *testing.T) {
	file := fileOf(t, "kong.yaml", `apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: p, labels: {global: "true"}}
plugin: ai-proxy-advanced
configFrom: {secretKeyRef: {namespace: kong, name: whole, key: config}}
`)
	dir := t.TempDir()
	for name, args := range loading(file) {
		code, _, stderr := command(t, append(args, "--secrets", dir)...)
		require.Equal(t, 1, code, name)
		require.Contains(t, stderr, `kong.yaml:5: configFrom.secretKeyRef: no key "config" of a secret "whole" in the files or in `+dir, name)
	}
	secret := filepath.Join(dir, "kong", "whole")
	require.NoError(t, os.MkdirAll(secret, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(secret, "config"),
		[]byte(`{"targets": [{"route_type": "llm/v1/chat", "model": {"provider": "openai", "name": "m"}}]}`), 0o600))
	for name, args := range loading(file) {
		code, _, stderr := command(t, append(args, "--secrets", dir)...)
		require.Zero(t, code, "%s: %s", name, stderr)
		code, _, stderr = command(t, append(args, "--secrets", file)...)
		require.Equal(t, 1, code, name)
		require.Equal(t, "semlb: --secrets: "+file+" is not a directory\n", stderr)
	}
}
