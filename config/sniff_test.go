package config

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExamplesAreKnownWithoutTheirEndings gives every example a name that says nothing.
func TestExamplesAreKnownWithoutTheirEndings(t *testing.T) {
	t.Parallel()
	for name, source := range exampleFiles(t) {
		want, _, err := Load(source, Options{Env: anyVariable})
		require.NoError(t, err)
		for _, bare := range []string{"configuration", "kong.conf", "-"} {
			got, _, err := Load([]Source{{Name: bare, Data: source[0].Data}}, Options{Env: anyVariable})
			require.NoError(t, err, name)
			requireEqual(t, want, got)
		}
	}
}

func TestSyntaxIsToldFromTheFirstLineThatSaysSomething(t *testing.T) {
	for text, want := range map[string]language{
		"resource \"a\" \"b\" {\n}":                     inTerraform,
		"# a\n// b\n/* c\n d */\n\n  variable \"a\" {}": inTerraform,
		"locals {":               inTerraform,
		"provider \"konnect\" {": inTerraform,
		"terraform {":            inTerraform,
		"output \"a\" {":         inTerraform,
		"data \"a\" \"b\" {":     inTerraform,
		"module \"a\" {":         inTerraform,
		"#!/bin/sh\nset -e\n":    inShell,
		"# a comment\ncurl -X POST http://localhost:8001/plugins -d '{}'": inShell,
		"kubectl apply -f - <<EOF\nEOF":                                   inShell,
		"cat <<EOF | kubectl apply -f -\nEOF":                             inShell,
		"echo 'a: b' | kubectl apply -f -":                                inShell,
		"plugins: []":                                                     inYAML,
		"{\"plugins\": []}":                                               inYAML,
		"data: {a: b}":                                                    inYAML,
		"resource: curl http://":                                          inYAML,
		"terraform: {}":                                                   inYAML,
		"echo: 1":                                                         inYAML,
		"":                                                                inYAML,
	} {
		require.Equal(t, want, languageOf(Source{Name: "configuration", Data: []byte(text)}), text)
	}
	require.Equal(t, inYAML, languageOf(Source{Name: "a.yaml", Data: []byte("locals {")}), "an ending says so first")
}

func TestHereDocumentsAreAppliedAsTheyAreWritten(t *testing.T) {
	resource := `apiVersion: configuration.konghq.com/v1
kind: KongClusterPlugin
metadata: {name: p, labels: {global: "true"}}
plugin: ai-proxy-advanced
config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}, auth: {header_name: A, header_value: VALUE}}]}
`
	for script, want := range map[string]string{
		"cat <<EOF | kubectl apply -f -\n" + strings.Replace(resource, "VALUE", "Bearer $KEY", 1) + "EOF\n":                         "Bearer sk-KEY",
		"kubectl apply -f - <<'EOF'\n" + strings.Replace(resource, "VALUE", `"a\u0024b"`, 1) + "EOF\nkubectl version":               "a$b",
		"kubectl apply -f - << EOF\n" + strings.Replace(resource, "VALUE", `x\$KEY`, 1) + "EOF\n":                                   "x$KEY",
		"kubectl apply -f - <<-END\n\t" + strings.ReplaceAll(strings.Replace(resource, "VALUE", "${KEY}", 1), "\n", "\n\t") + "END": "sk-KEY",
	} {
		c, _, err := Load([]Source{{Name: "a.sh", Data: []byte(script)}}, Options{Env: anyVariable})
		require.NoError(t, err, script)
		require.Len(t, c.Plugins, 1, script)
		require.Equal(t, want, c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal(), script)
	}
	_, _, err := Load([]Source{{Name: filepath.Join("a", "b.sh"), Data: []byte("set -e\ncat <<EOF | kubectl apply -f -\n" + resource + "nonsense: 1\nEOF")}}, Options{})
	require.EqualError(t, err, "a/b.sh:8: nonsense: unknown field", "places are those of the script")
}
