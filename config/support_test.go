package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// used lists every field that may have a value other than its default. What the
// schema gains is refused until it is listed here and the product does it.
func used() []string {
	return strings.Fields(`
		_config consumer consumer_group created_at enabled id instance_name name protocols route run_on service tags
		updated_at
		config.balancer.algorithm config.balancer.connect_timeout config.balancer.fail_timeout
		config.balancer.failover_criteria config.balancer.group_order config.balancer.max_fails config.balancer.no_match
		config.balancer.on_panic
		config.balancer.read_timeout config.balancer.retries config.balancer.shared_state config.balancer.spill
		config.balancer.write_timeout
		config.embeddings.auth.header_name config.embeddings.auth.header_value config.embeddings.auth.param_location
		config.embeddings.auth.param_name config.embeddings.auth.param_value config.embeddings.model.name
		config.embeddings.model.options.upstream_url config.embeddings.model.provider
		config.max_request_body_size config.model_name_header config.model_policy config.options_precedence
		config.response_streaming
		config.targets[].auth.allow_override config.targets[].auth.header_name config.targets[].auth.header_value
		config.targets[].auth.param_location config.targets[].auth.param_name config.targets[].auth.param_value
		config.targets[].description config.targets[].logging.log_payloads config.targets[].logging.log_statistics
		config.targets[].model.name config.targets[].model.options.azure_api_version
		config.targets[].model.options.azure_deployment_id config.targets[].model.options.azure_instance
		config.targets[].model.options.dashscope.international config.targets[].model.options.upstream_path
		config.targets[].model.options.input_cost config.targets[].model.options.max_tokens
		config.targets[].model.options.mistral_format config.targets[].model.options.output_cost
		config.targets[].model.options.temperature config.targets[].model.options.top_k
		config.targets[].model.options.top_p config.targets[].model.options.upstream_url
		config.targets[].model.provider config.targets[].route_type config.targets[].weight
		config.vectordb.dimensions config.vectordb.distance_metric config.vectordb.redis.connect_timeout
		config.vectordb.redis.database config.vectordb.redis.host config.vectordb.redis.keepalive_pool_size
		config.vectordb.redis.password config.vectordb.redis.port config.vectordb.redis.read_timeout
		config.vectordb.redis.send_timeout config.vectordb.redis.server_name config.vectordb.redis.ssl
		config.vectordb.redis.ssl_verify config.vectordb.redis.username config.vectordb.search
		config.vectordb.strategy config.vectordb.threshold`)
}

// refusals returns what the support table says about a value at a path.
func refusals(t *testing.T, table *spec, path string, value any) Faults {
	t.Helper()
	var c checker
	n := tree(t, withValue(path, value))
	c.supported(table, place{n: n, pos: n.pos})
	return c.faults
}

func TestEveryFieldIsEitherUsedOrRefused(t *testing.T) {
	table := newestTable(t)
	list := used()
	eachField(table, "", func(path string, s *spec) {
		if s.fields != nil || s.item != nil && s.item.fields != nil {
			return
		}
		values := goodValues(s)
		if s.freeForm {
			values = []any{map[string]any{"a": 1}}
		}
		if path == "partials" {
			values = []any{[]any{map[string]any{"id": "x"}}}
		}
		other := slices.DeleteFunc(values, func(v any) bool { return !differs(s, tree(t, v)) })
		require.NotEmpty(t, other, path)
		if slices.Contains(list, path) {
			if len(s.allowed) == 0 && path != "protocols" {
				require.Empty(t, refusals(t, table, path, other[0]), path)
			}
			return
		}
		require.NotEmpty(t, refusals(t, table, path, other[0]), path)
	})
	for _, path := range list {
		require.NotNil(t, table.find(path), path)
	}
}

func TestEveryAllowedValueIsEitherDoneOrRefused(t *testing.T) {
	table := newestTable(t)
	for path, done := range map[string][]string{
		"config.balancer.algorithm":                     {"priority", "round-robin", "semantic"},
		"config.balancer.latency_strategy":              {"tpot"},
		"config.balancer.tokens_count_strategy":         {"total-tokens"},
		"config.embeddings.model.provider":              {"mistral", "openai"},
		"config.genai_category":                         {"text/generation"},
		"config.llm_format":                             {"openai"},
		"config.targets[].model.options.mistral_format": {"openai"},
		"config.targets[].model.provider":               {"azure", "cerebras", "dashscope", "deepseek", "mistral", "openai", "vllm", "xai"},
		"config.targets[].route_type":                   {"llm/v1/chat", "llm/v1/completions"},
		"config.vectordb.strategy":                      {"redis"},
	} {
		var accepted []string
		for _, value := range table.find(path).allowed {
			if len(refusals(t, table, path, value)) == 0 {
				accepted = append(accepted, value)
			}
		}
		require.Equal(t, done, accepted, path)
	}
}

func TestDefaultsAreNeverRefused(t *testing.T) {
	table := newestTable(t)
	eachField(table, "", func(path string, s *spec) {
		if strings.Contains(strings.TrimPrefix(path, "config.targets[]"), "[]") || strings.HasPrefix(path, "config.acls.") {
			return // An element of a refused list is refused, whatever is in it.
		}
		if s.fallback != nil {
			require.Empty(t, refusals(t, table, path, s.fallback), path)
		}
		require.Empty(t, refusals(t, table, path, nil), path)
		if s.kind == kindList {
			require.Empty(t, refusals(t, table, path, []any{}), path)
		}
		if s.kind == kindObject {
			require.Empty(t, refusals(t, table, path, map[string]any{}), path)
		}
	})
}

func TestEveryRowOfTheSupportTableNamesAField(t *testing.T) {
	table := newestTable(t)
	for _, u := range supportTable() {
		s := table.find(u.path)
		require.NotNil(t, s, u.path)
		if u.value != "" {
			require.Contains(t, s.allowed, u.value)
		}
	}
}
