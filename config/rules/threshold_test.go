package rules_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

func TestAThresholdBeyondEveryDistanceIsAWarning(t *testing.T) {
	for _, tt := range []struct {
		metric, threshold string
		warned            bool
	}{
		{"cosine", "0.7", false},
		{"cosine", "2", false},
		{"cosine", "2.5", true},
		{"euclidean", "1", false},
		{"euclidean", "1.1", true},
	} {
		text := fmt.Sprintf(`plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: semantic}
    embeddings: {model: {provider: openai, name: e}}
    vectordb: {strategy: redis, distance_metric: %s, threshold: %s, dimensions: 4, redis: {host: localhost}}
    targets: [{route_type: llm/v1/chat, description: d, model: {provider: openai, name: m}}]
`, tt.metric, tt.threshold)
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{})
		require.NoError(t, err)
		require.Equal(t, tt.warned, len(warnings) == 1, "%s %s: %v", tt.metric, tt.threshold, warnings)
	}
}
