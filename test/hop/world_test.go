package hop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// world is an Envoy that a test starts itself, with semlb beside it and two targets
// behind; the first one refuses what is no stream.
type world struct {
	t             *testing.T
	config        string // the file
	plugin        harness.Plugin
	status, admin string // URLs
	url           string
	first, second *harness.Stub
	envoy         *harness.Program
}

// newWorld starts semlb, and an Envoy with what patch makes of the configuration that
// semlb envoy prints for flags.
func newWorld(t *testing.T, patch func(string) string, flags []string, envoyArgs ...string) *world {
	t.Helper()
	w := &world{t: t, first: harness.NewStub(t, "first"), second: harness.NewStub(t, "second")}
	w.first.Do(harness.Status(429))
	w.first.Forget()
	w.second.Forget()
	w.plugin = harness.Plugin{Failover: harness.SeedCriteria(), Targets: []harness.Target{
		{URL: w.first.URL, Model: "first", Weight: 75}, {URL: w.second.URL, Model: "second", Weight: 25},
	}}
	w.config = harness.WriteConfig(t, harness.Config(w.plugin))
	dir, err := os.MkdirTemp("", "hop-") // short enough for sockets
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	listen, status, admin := harness.FreeAddress(t), harness.FreeAddress(t), harness.FreeAddress(t)
	w.url, w.status, w.admin = "http://"+listen, "http://"+status, "http://"+admin
	hop := []string{"--hop", harness.Hop(), "--hop-socket", dir + "/hop", "--grpc-socket", dir + "/grpc", "--listen", listen}
	harness.Run(t, harness.Build(t), append([]string{
		"serve", "-c", w.config, "--embeddings", "builtin", "--vectordb", "memory", "--status", status,
		"--admin", "off", "--drain", "0s", "--log-level", "warn",
	}, hop...)...)
	harness.AwaitReady(t, w.status)
	printed := harness.Command(t, nil, append(append([]string{
		"envoy", "-c", w.config, "--embeddings", "builtin", "--vectordb", "memory", "--envoy-admin", admin,
	}, hop...), flags...)...)
	require.Zero(t, printed.Code, printed.Stderr)
	w.envoy = harness.RunEnvoy(t, patch(printed.Stdout), envoyArgs...)
	require.Eventually(t, func() bool { return harness.StatusOf(w.url) != 0 }, 20*time.Second, 20*time.Millisecond, "Envoy listens")
	return w
}

func unchanged(s string) string { return s }

// send asks once and says what was wrong with the answer; "" if nothing was.
func (w *world) send(client *http.Client, body string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+harness.ChatPath, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := harness.Send(client, r)
	switch {
	case err != nil:
		return err.Error()
	case answer.Status != http.StatusOK || answer.Err != nil:
		return fmt.Sprintf("%d %v %.300s", answer.Status, answer.Err, answer.Body)
	default:
		return ""
	}
}

// stat is the value of one of Envoy's statistics.
func (w *world) stat(name string) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.admin+"/stats?format=json&filter=^"+strings.ReplaceAll(name, ".", `\.`)+"$", nil)
	require.NoError(w.t, err)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer response.Body.Close()
	var all struct {
		Stats []struct {
			Name  string
			Value int
		}
	}
	require.NoError(w.t, json.NewDecoder(response.Body).Decode(&all))
	for _, s := range all.Stats {
		if s.Name == name {
			return s.Value
		}
	}
	w.t.Fatalf("Envoy has no statistic %s", name)
	return 0
}
