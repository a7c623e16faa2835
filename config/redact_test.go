package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEverySecretOfAConfigurationIsFound(t *testing.T) {
	cfg, _, err := Load([]Source{{Name: "kong.yaml", Data: []byte(`
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
`)}}, Options{})
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

func TestSecretsAreTakenOutOfTexts(t *testing.T) {
	r := NewRedactor([]Secret{NewSecret("Bearer sk-one"), NewSecret("sk-one-two"), NewSecret("key\"with\té&/"), NewSecret("red ")})
	for text, want := range map[string]string{
		"Duplicated credential key: 'sk-one-two'": "Duplicated credential key: '[redacted]'",
		"header Bearer sk-one":                    "header [redacted]",
		"token sk-one.":                           "token [redacted].",
		`key: "key\"with\t\303\251&/"`:            `key: "[redacted]"`,     // protobuf
		`{"key": "key\"with\té\u0026/"}`:          `{"key": "[redacted]"}`, // JSON
		"?apikey=key%22with%09%C3%A9%26%2F":       "?apikey=[redacted]",
		"nothing secret":                          "nothing secret",
	} {
		require.Equal(t, want, r.Redact(text))
	}
}

// A short credential would be told by the words it is taken out of.
func TestATextWithAVeryShortSecretIsNotShown(t *testing.T) {
	r := NewRedactor([]Secret{NewSecret("abc")})
	require.Equal(t, "[redacted]", r.Redact("Duplicated credential key: 'abc'"))
	require.Equal(t, "listener added", r.Redact("listener added"))
	require.Equal(t, "as it is", NewRedactor(nil).Redact("as it is"))
}
