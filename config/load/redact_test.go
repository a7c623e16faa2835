package load_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

func TestEverySecretOfAConfigurationIsFound(t *testing.T) {
	cfg, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(`
routes:
- {name: r, headers: {Authorization: [~*route-key], X-Team: [a]}}
consumers:
- username: anna
  keyauth_credentials: [{key: annas-key}]
  basicauth_credentials: [{username: anna, password: annas-password}]
  jwt_secrets: [{key: issuer, secret: annas-secret}]
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: semantic}
    embeddings: {auth: {header_name: A, header_value: embedder-key}, model: {provider: openai, name: m}}
    vectordb: {strategy: redis, distance_metric: cosine, dimensions: 8, redis: {host: h, password: redis-password}}
    targets:
    - {route_type: llm/v1/chat, description: CATCHALL, model: {provider: openai, name: m}, auth: {header_name: A, header_value: target-key, param_name: p, param_value: target-parameter, param_location: query}}
`)}}, load.Options{})
	require.NoError(t, err)
	var found []string
	for _, s := range cfg.Secrets() {
		found = append(found, s.Reveal())
	}
	require.ElementsMatch(t, []string{
		"annas-key", "annas-password", "annas-secret", "embedder-key", "redis-password", "target-key", "target-parameter",
		"route-key",
	}, found)
}
