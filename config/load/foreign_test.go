package load_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

// foreignFiles are files of other programs, and what the message about each says.
var foreignFiles = map[string]struct{ text, what string }{
	"docker-compose.yaml":      {"version: '3'\nservices: {kong: {image: kong}}\n", "a Docker Compose file"},
	"stack.yml":                {"services: {kong: {image: kong, environment: [A=b]}}\nvolumes: {}\n", "a Docker Compose file"},
	"kustomization.yaml":       {"resources: [kong.yaml]\n", "a Kustomize file"},
	"overlay.yaml":             {"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a]\n", "a Kustomize file"},
	"chart/Chart.yaml":         {"apiVersion: v2\nname: c\nversion: 1.0.0\n", "a Helm chart"},
	"chart/values.yaml":        {"plugins: {configMaps: []}\nenv: {database: 'off'}\n", "Helm values"},
	"chart/prod-values.yaml":   {"name: x\nconfig: {}\n", "Helm values"},
	"chart/templates/svc.yaml": {"apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\n{{- if .Values.x }}\n", "a Helm template"},
	"package.json":             {`{"name": "x", "config": {"port": 1}}`, "a Node.js package"},
	"kong.schema.json":         {`{"$schema": "x", "properties": {"plugins": {}}}`, "a JSON Schema"},
	"openapi.yaml":             {"openapi: 3.0.0\ninfo: {title: x}\npaths: {}\n", "an OpenAPI document"},
	"ci.yml":                   {"name: CI\non: push\njobs: {}\n", "a file of another program"},
	"list.json":                {"[1, 2]", "a file of another program"},
	"prometheus.yml":           {"global: {}\nscrape_configs: []\n", "a file of another program"},
	"build.sh":                 {"#!/bin/sh\nmake build\n", "a script without curl, kubectl and deck"},
}

// write makes a directory of files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o700))
		require.NoError(t, os.WriteFile(at, []byte(text), 0o600))
	}
	return dir
}

func TestFilesOfOtherProgramsInADirectoryAreSkipped(t *testing.T) {
	texts, want := map[string]string{"kong.yaml": configtest.Minimal}, map[string]string{}
	dir := ""
	for name, f := range foreignFiles {
		texts[name] = f.text
	}
	dir = write(t, texts)
	for name, f := range foreignFiles {
		want[filepath.Join(dir, name)] = "skipped: " + f.what
	}
	c, warnings, err := load.Files(load.Options{}, dir)
	require.NoError(t, err)
	require.Len(t, c.Plugins, 1)
	got := map[string]string{}
	for _, w := range warnings {
		require.True(t, w.Info, w)
		got[w.Position.File] = w.Text
	}
	require.Equal(t, want, got, "one line for each file")
	require.Len(t, warnings, len(want))

	// A file that is named itself is meant.
	for _, name := range []string{"docker-compose.yaml", "list.json"} {
		_, _, err = load.Files(load.Options{}, filepath.Join(dir, name))
		require.Error(t, err, name)
	}
}

func TestFilesThatMayBeMeantAreNotSkipped(t *testing.T) {
	for name, text := range map[string]string{
		"values.yaml":         "_format_version: \"3.0\"\nplugins: 1\n",
		"docker-compose.yaml": "plugins:\n- name: ai-proxy-advanced\n",
		"kong.yaml":           "servics: []\n",
		"a.yaml":              "services: {a: 1}\nroutes: []\n",
		"b.yaml":              "plugins: {}\n",
		"c.yaml":              "name: ai-proxy-advanced\n",
		"d.json":              "{\"name\": \"ai-proxy-advanced\", ",
		"e.yaml":              "x: ${{ env \"DECK_X\" }}\n",
		"f.yaml":              "a: [\n",
		"g.yaml":              "",
	} {
		_, _, err := load.Files(load.Options{}, write(t, map[string]string{name: text, "ok.yaml": configtest.Minimal}))
		require.ErrorContains(t, err, name, "%s", text)
	}
}
