package faults_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/test/harness"
)

// resolveBy makes this process, and so a semlb in it, resolve names by a DNS server. When
// the test ends it waits for the queries that callers have given up.
func resolveBy(t *testing.T, r *harness.Resolver) {
	t.Helper()
	before := net.DefaultResolver
	t.Cleanup(func() {
		net.DefaultResolver = before
		queries := func(stack string) bool { return strings.Contains(stack, "net.(*Resolver).") }
		require.Eventually(t, func() bool { return !slices.ContainsFunc(harness.Stacks(), queries) }, waitLimit, 10*waitStep)
	})
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		dialer := &net.Dialer{Resolver: before} // it would read DefaultResolver
		return dialer.DialContext(ctx, network, r.Address)
	}}
}

func TestFault30ResolverSilentForSemlb(t *testing.T) {
	r := begin(t, "DNS server that never answers semlb itself, about the names of the embedding model and of Redis")
	resolver := newSilentResolver(t)
	resolveBy(t, resolver)
	e := newEmbedder(t)
	w := start(t, options{embedder: e, store: true, flags: []string{"--decision-budget", "2s"}, plugin: func(p *harness.Plugin) {
		p.Embeddings["model"].(map[string]any)["options"].(map[string]any)["upstream_url"] = urlOf(t, e.Stub, silent) + "/v1/embeddings"
		p.VectorDB["redis"] = map[string]any{"host": lateName, "port": 6379}
	}})
	degraded := w.decided("degraded")
	took := timed(func() { require.Equal(t, cook1Model, w.servedBy(chat(code))) })
	require.Equal(t, degraded+1, w.decided("degraded"))
	require.Positive(t, resolver.Asked(silent))
	r.saw("ready; the default group serves, after %s", took.Round(100e6))
	resolver.Set(silent, harness.At("127.0.0.1"))
	require.Eventually(t, func() bool { return w.servedBy(chat(code)) == codeModel }, waitLimit, 10*waitStep)
	r.saw("served as usual as soon as the model's name is resolved, without Redis")
}
