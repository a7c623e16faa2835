package seed_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// inPrompts is in every prompt of the test below and nowhere else.
const inPrompts = "xylograph-7741"

func TestKeyAndPromptsStayWhereTheyBelong(t *testing.T) {
	server := startRedis(t)
	temporary := harness.SocketDir(t) // Envoy's files are below TMPDIR
	t.Setenv("TMPDIR", temporary)
	o := newOpenAI(t)
	// The seed logs payloads; this one does not.
	g := start(t, o, seedWith(t, "log_payloads: true", "log_payloads: false"))

	g.served("programming " + inPrompts)
	o.refuse("gpt-4o", http.StatusTooManyRequests)
	require.Equal(t, ofProgramming, g.group("programming again "+inPrompts))
	require.Equal(t, ofRealLife, g.group("real life "+inPrompts))
	refused := g.Post(g.client, `{"messages":[],"prompt":"`+inPrompts+`"}`)
	require.Equal(t, http.StatusBadRequest, refused.Status)

	hashes, kept := contents(t, newRedisClient(t, server))
	require.Equal(t, 2, hashes, "the vectors of the descriptions")
	metrics := g.Page("/metrics").Body
	require.Contains(t, metrics, "semlb_decisions_total")
	places := map[string]string{
		"log": g.Log(), "stdout": g.Stdout(), "metrics": metrics, "Redis": kept, "refusal": refused.Body,
		"config_dump": harness.ChildAdmin(t, temporary, "/config_dump?include_eds"),
		"stats":       harness.ChildAdmin(t, temporary, "/stats"),
	}
	for name, text := range readFiles(t, temporary) {
		places[name] = text
	}
	require.Contains(t, places["config_dump"], "envoy.filters.http.ext_proc", "this is not Envoy's configuration")
	for place, text := range places {
		require.NotContains(t, text, key, place)
		require.NotContains(t, text, inPrompts, place)
	}
}

// readFiles reads the files below the folder of Envoy, among them its bootstrap.
func readFiles(t *testing.T, below string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(below, "semlb-*", "*"))
	require.NoError(t, err)
	read := map[string]string{}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue // a socket
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		read[filepath.Base(file)] = string(text)
	}
	require.Contains(t, read, "bootstrap.json")
	return read
}
