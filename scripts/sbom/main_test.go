package main

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBillListsTheToolchainAndEveryModule(t *testing.T) {
	info, err := debug.ParseBuildInfo("path\tp\nmod\tsemlb\t(devel)\t\n" +
		"dep\tgithub.com/a/b\tv1.2.3\th1:AAAA=\ndep\tgithub.com/c/d\tv1.0.0\n=>\tgithub.com/e/f\tv2.0.0\th1:BBBB=\nbuild\tCGO_ENABLED=0\n")
	require.NoError(t, err)
	info.GoVersion = "go1.26.8" // which is not in the text
	text, err := json.Marshal(billOf("semlb", info, sha256.Sum256(nil)))
	require.NoError(t, err)
	require.JSONEq(t, `{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"metadata": {"component": {
			"type": "application", "name": "semlb", "properties": [{"name": "go:CGO_ENABLED", "value": "0"}],
			"hashes": [{"alg": "SHA-256", "content": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]
		}},
		"components": [
			{"type": "library", "name": "std", "version": "go1.26.8", "purl": "pkg:golang/std@1.26.8"},
			{"type": "library", "name": "github.com/a/b", "version": "v1.2.3", "purl": "pkg:golang/github.com/a/b@v1.2.3", "properties": [{"name": "go:sum", "value": "h1:AAAA="}]},
			{"type": "library", "name": "github.com/e/f", "version": "v2.0.0", "purl": "pkg:golang/github.com/e/f@v2.0.0", "properties": [{"name": "go:sum", "value": "h1:BBBB="}]}
		]
	}`, string(text))
}

func TestWhatIsNoGoProgramHasNoBill(t *testing.T) {
	file := t.TempDir() + "/text"
	require.NoError(t, os.WriteFile(file, []byte("text"), 0o600))
	require.ErrorContains(t, run([]string{file}), "read build information")
	require.ErrorContains(t, run(nil), "takes one file")
}
