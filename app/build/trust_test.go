package build

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/config/load"
	"semlb/test/ca"
	"semlb/vectordb/redistest"
)

// secureServers are an embedding model and a Redis behind TLS, in a configuration, and a
// file with the authorities of both.
func secureServers(t *testing.T) (*config.Config, string) {
	t.Helper()
	authority := ca.New(t)
	model := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":[{"index":0,"embedding":[0,0,0,1]}]}`)
	}))
	model.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Issue("127.0.0.1")}, MinVersion: tls.VersionTLS12}
	model.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail
	model.StartTLS()
	t.Cleanup(model.Close)
	redis := redistest.StartWith(t, redistest.Options{TLS: true})

	text := fmt.Sprintf(`_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: semantic}
    embeddings: {model: {provider: openai, name: e, options: {upstream_url: "%s"}}}
    vectordb: {strategy: redis, distance_metric: cosine, dimensions: 4, redis: {host: %s, port: %d, ssl: true, ssl_verify: true}}
    targets: [{description: code, route_type: llm/v1/chat, model: {provider: openai, name: m}, auth: {header_name: Authorization, header_value: b}}]
`, model.URL, redis.Host, redis.Port)
	cfg, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
	require.NoError(t, err)

	var both []byte
	for _, file := range []string{authority.File, redis.CAFile} {
		pem, err := os.ReadFile(file)
		require.NoError(t, err)
		both = append(both, pem...)
	}
	file := filepath.Join(t.TempDir(), "authorities.pem")
	require.NoError(t, os.WriteFile(file, both, 0o600))
	return cfg, file
}

func TestTrustedCAVerifiesEmbeddingModelsAndRedis(t *testing.T) {
	cfg, file := secureServers(t)
	load := func(trusted string) error {
		all, err := New(Options{Log: slog.New(slog.DiscardHandler), TrustedCA: trusted}).Build(t.Context(), cfg)
		require.NoError(t, err)
		defer func() { require.NoError(t, all.Close()) }()
		return all.List[0].Load(t.Context())
	}
	require.NoError(t, load(file))
	require.ErrorContains(t, load(""), "certificate")
}

func TestAFileOfAuthoritiesThatCannotBeReadIsAFault(t *testing.T) {
	cfg, file := secureServers(t)
	require.NoError(t, os.WriteFile(file, []byte("no PEM"), 0o600))
	for trusted, want := range map[string]string{file: "has no certificate in PEM", "/nowhere/ca.pem": "no such file"} {
		_, err := New(Options{Log: slog.New(slog.DiscardHandler), TrustedCA: trusted}).Build(t.Context(), cfg)
		require.ErrorContains(t, err, "--trusted-ca")
		require.ErrorContains(t, err, want)
	}
	_, err := New(Options{Log: slog.New(slog.DiscardHandler), TrustedCA: "/nowhere/ca.pem"}).Build(t.Context(), loaded(t, "algorithm: round-robin"))
	require.NoError(t, err, "nothing is verified with it")
}
