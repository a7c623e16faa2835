package rules_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

func TestWhatRedisNeeds(t *testing.T) {
	for _, tt := range []struct{ search, redis, fault, warning string }{
		{"memory", "database: 5", "", ""},
		{"store", "database: 0", "", ""},
		{"store", "database: 5", "kong.yaml:7: plugins[0].config.vectordb.redis.database: got 5, want 0 with search store: Redis indexes no other database", ""},
		{"memory", "username: u, password: p", "", ""},
		{"memory", "username: u", "", "kong.yaml:7: plugins[0].config.vectordb.redis.username: is not used without a password"},
	} {
		text := fmt.Sprintf(`_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: semantic}
    embeddings: {model: {provider: openai, name: text-embedding-3-small}}
    vectordb: {strategy: redis, distance_metric: cosine, threshold: 0.7, dimensions: 4, search: %s, redis: {host: localhost, port: 6379, %s}}
    targets: [{description: a, route_type: llm/v1/chat, model: {provider: openai, name: gpt-4o}}]
`, tt.search, tt.redis)
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
		if tt.fault != "" {
			require.EqualError(t, err, tt.fault)
			continue
		}
		require.NoError(t, err, tt.redis)
		warned := ""
		for _, w := range warnings {
			warned += w.String()
		}
		require.Equal(t, tt.warning, warned, tt.redis)
	}
}
