package load_test

import (
	"fmt"
	"strings"
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
		{"3.9", "    vectordb: {strategy: redis, distance_metric: cosine, dimensions: 3, threshold: 1, redis: {timeout: 1}}", "kong.yaml:7: plugins[0].config.vectordb.redis.timeout: unknown field: use connect_timeout, read_timeout and send_timeout instead"},
		{"3.x", "", `read Kong version "3.x": want a form like 3.16`},
		{"3.7", "", `read Kong version "3.7": want 3.8 or newer, where the plugin begins, or 2.0 for the AI gateway`},
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal + tt.add)}}, load.Options{KongVersion: tt.kong})
		require.EqualError(t, err, tt.want)
	}
	configtest.Load(t, configtest.Minimal+"    balancer: {algorithm: priority, max_fails: 0}", load.Options{KongVersion: "3.13"})
}

func TestTheAIGatewayHasVersionsOfItsOwn(t *testing.T) {
	for _, version := range []string{"2.0", "2.0.3", "2.7"} {
		c := configtest.Load(t, configtest.Minimal, load.Options{KongVersion: version})
		require.Equal(t, int64(8<<20), c.Plugins[0].Settings.MaxRequestBodySize)
	}
	require.Equal(t, int64(1<<20), configtest.Load(t, configtest.Minimal, load.Options{KongVersion: "3.16"}).Plugins[0].Settings.MaxRequestBodySize)
	for add, want := range map[string]string{
		"    proxy_config: {http_proxy_host: a}":                                                              "kong.yaml:7: plugins[0].config.proxy_config: not supported yet: what version 2 of the AI gateway added",
		"    pricing: {enabled: true}":                                                                        "kong.yaml:7: plugins[0].config.pricing: not supported yet: what version 2 of the AI gateway added\nkong.yaml:7: plugins[0].config.pricing.enabled: not supported yet: what version 2 of the AI gateway added",
		"    - {route_type: preserve, model: {provider: openai}}":                                             `route_type: got string "preserve", want one of`,
		"    - {route_type: llm/v1/chat, model: {provider: kimi}}":                                            "kimi is not supported yet: what version 2 of the AI gateway added",
		"    - {route_type: llm/v1/chat, model: {provider: openai, options: {upstream_path: /x}}}":            "upstream_path: unknown field: use upstream_url, with the path, instead",
		"    - {route_type: llm/v1/chat, model: {provider: openai, options: {kimi: {international: true}}}}":  "",
		"    - {route_type: llm/v1/chat, model: {provider: openai, options: {azure_foundry_resource: a}}}":    "azure_foundry_resource: not supported yet",
		"    - {route_type: llm/v1/chat, model: {provider: openai}, auth: {aws_session_token: \"$SESSION\"}}": "aws_session_token: not supported yet",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal + add)}}, load.Options{KongVersion: "2.0", Env: configtest.AnyVariable})
		if want == "" {
			require.NoError(t, err, add)
			continue
		}
		require.ErrorContains(t, err, want, add)
	}
}

func TestVersionsThatAreNewerThanTheKnownAreTakenWithAWarning(t *testing.T) {
	for version, want := range map[string]string{
		"3.17":     "version 3.17 of Kong is newer than 3.16, the newest that is known: read as 3.16",
		"4.0":      "version 4.0 of Kong is newer than 3.16, the newest that is known: read as 3.16",
		"2.1":      "version 2.1 of the AI gateway is newer than 2.0, the newest that is known: read as 2.0",
		"3.16.9.9": "", "3.15": "", "2.0.3": "", "": "",
	} {
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal)}}, load.Options{KongVersion: version})
		require.NoError(t, err, version)
		if want == "" {
			require.Empty(t, warnings, version)
			continue
		}
		require.Len(t, warnings, 1)
		require.Equal(t, want, warnings[0].String())
	}
}

func TestAVersionThatIsNewerThanTheKnownOnesMayHaveOtherFields(t *testing.T) {
	const fields = "    brand_new: {a: 1}\n    balancer: {algoritm: priority, round: 1}\n"
	const added = "plugins[0].config.brand_new: unknown field"
	for version, ignored := range map[string]bool{"3.16": false, "3.99": true, "2.9": true} {
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(configtest.Minimal + fields)}}, load.Options{KongVersion: version})
		require.ErrorContains(t, err, `balancer.algoritm: unknown field, did you mean "algorithm"?`)
		require.Equal(t, ignored, strings.Contains(fmt.Sprint(warnings), added+" is ignored: it may be one of a newer version"), version)
		require.Equal(t, !ignored, strings.Contains(err.Error(), added), version)
	}
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(strings.Replace(configtest.Minimal, "openai", "brandnew", 1))}}, load.Options{KongVersion: "3.99"})
	require.ErrorContains(t, err, `model.provider: got string "brandnew", want one of`)
}
