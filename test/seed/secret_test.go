package seed_test

import (
	"context"
	"net"
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
	// Envoy's files are below the folder for temporary ones. Its own name is short,
	// because a socket's path may not be long.
	temporary, err := os.MkdirTemp("", "seed")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(temporary)) })
	t.Setenv("TMPDIR", temporary)
	o := newOpenAI(t)
	// The seed asks for payloads in the log; this one does not.
	g := start(t, o, seedWith(t, "log_payloads: true", "log_payloads: false"))

	g.served("programming " + inPrompts)
	o.refuse("gpt-4o", http.StatusTooManyRequests)
	require.Equal(t, ofProgramming, g.group("programming again "+inPrompts))
	require.Equal(t, ofRealLife, g.group("real life "+inPrompts))
	refused := g.Post(g.client, `{"messages":[],"prompt":"`+inPrompts+`"}`)
	require.Equal(t, http.StatusBadRequest, refused.Status)

	hashes, kept := contents(t, newRedisClient(t, server))
	require.Equal(t, 2, hashes, "the vectors of the descriptions")
	_, metrics := g.get("/metrics")
	require.Contains(t, metrics, "semlb_decisions_total")
	places := map[string]string{
		"log": g.Log(), "stdout": g.Stdout(), "metrics": metrics, "Redis": kept, "refusal": refused.Body,
		"config_dump": askEnvoy(t, temporary, "/config_dump?include_eds"),
		"stats":       askEnvoy(t, temporary, "/stats"),
	}
	for name, text := range readFiles(t, temporary) {
		places[name] = text
	}
	require.Contains(t, places["config_dump"], "envoy.filters.http.ext_proc", "Envoy's configuration is not what was asked for")
	for place, text := range places {
		require.NotContains(t, text, key, place)
		require.NotContains(t, text, inPrompts, place)
	}
}

// askEnvoy asks the admin interface of the Envoy whose folder is below a folder.
func askEnvoy(t *testing.T, below, path string) string {
	t.Helper()
	sockets, err := filepath.Glob(filepath.Join(below, "semlb-*", "admin.sock"))
	require.NoError(t, err)
	require.Len(t, sockets, 1)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", sockets[0])
	}}
	t.Cleanup(transport.CloseIdleConnections)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://envoy"+path, nil)
	require.NoError(t, err)
	answer, err := harness.Send(&http.Client{Transport: transport}, r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.Status)
	return answer.Body
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
