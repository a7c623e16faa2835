package load_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

func TestWhatIsNewerThanTheVersionIsNamed(t *testing.T) {
	require.Equal(t, int64(8192), configtest.Load(t, configtest.Minimal, load.Options{KongVersion: "3.12"}).Plugins[0].Settings.MaxRequestBodySize)
	require.Equal(t, 256, *configtest.Load(t, configtest.Minimal, load.Options{KongVersion: "3.9"}).Plugins[0].Settings.Targets[0].Model.Options.MaxTokens)
	for _, tt := range []struct{ kong, add, want string }{
		{"3.12", "    balancer: {max_fails: 0}", "kong.yaml:7: plugins[0].config.balancer.max_fails: got a field of Kong 3.13, newer than the configuration's version"},
		{"3.9", "    balancer: {algorithm: priority}", `kong.yaml:7: plugins[0].config.balancer.algorithm: got string "priority" of Kong 3.10, want one of consistent-hashing, lowest-latency, lowest-usage, round-robin, semantic`},
		{"3.12", "    vectordb: {strategy: redis, distance_metric: cosine, dimensions: 3}", "kong.yaml:7: plugins[0].config.vectordb.threshold: got nothing, want a number of at least 0"},
		{"3.x", "", `read Kong version "3.x": want a form like 3.15`},
		{"3.7", "", `read Kong version "3.7": want 3.8 or newer, where the plugin begins`},
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal + tt.add)}}, load.Options{KongVersion: tt.kong})
		require.EqualError(t, err, tt.want)
	}
	configtest.Load(t, configtest.Minimal+"    balancer: {algorithm: priority, max_fails: 0}", load.Options{KongVersion: "3.13"})
}
