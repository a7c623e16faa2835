package hop_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
	"semlb/test/process"
)

// world is an Envoy that a test starts itself, with semlb beside it and two targets
// behind; the first one refuses what is no stream.
type world struct {
	*harness.Gateway
	t             *testing.T
	config        string // the file
	plugin        harness.Plugin
	admin         string // the URL of Envoy's admin interface
	first, second *harness.Stub
	envoy         *process.Process
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
	dir := harness.SocketDir(t)
	listen, status, admin := harness.FreeAddress(t), harness.FreeAddress(t), harness.FreeAddress(t)
	w.Gateway, w.admin = harness.NewGateway(t, listen, status), "http://"+admin
	hop := []string{"--hop", harness.Hop(), "--hop-socket", dir + "/hop", "--grpc-socket", dir + "/grpc", "--listen", listen}
	process.Start(t, harness.Build(t), append([]string{
		"serve", "-c", w.config, "--embeddings", "builtin", "--vectordb", "memory", "--status", status,
		"--admin", "off", "--drain", "0s", "--log-level", "warn",
	}, hop...)...)
	harness.AwaitReady(t, w.Status)
	printed := harness.Command(t, nil, append(append([]string{
		"envoy", "-c", w.config, "--embeddings", "builtin", "--vectordb", "memory", "--envoy-admin", admin,
	}, hop...), flags...)...)
	require.Zero(t, printed.Code, printed.Stderr)
	w.envoy = harness.RunEnvoy(t, patch(printed.Stdout), envoyArgs...)
	harness.AwaitListener(t, w.URL)
	return w
}

func unchanged(s string) string { return s }

// send sends a request and returns what was wrong with the answer; "" if nothing was.
func (w *world) send(client *http.Client, body string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	answer, err := harness.Send(client, w.Request(ctx, harness.ChatPath, strings.NewReader(body)))
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
	return harness.EnvoyStat(w.t, w.admin, "^"+strings.ReplaceAll(name, ".", `\.`)+"$")
}
