package load_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

// In Kong, a client's Authorization reaches such a target.
func TestInstancesWithTargetsWithoutACredentialAreNamed(t *testing.T) {
	const text = `plugins:
- name: ai-proxy-advanced
  enabled: true
  config:
    targets:
    - {model: {provider: openai, name: a}, route_type: llm/v1/chat, auth: {header_name: Authorization, header_value: $KEY}}
    - {model: {provider: vllm, name: b, options: {upstream_url: "http://h"}}, route_type: llm/v1/chat}
    - {model: {provider: openai, name: c}, route_type: llm/v1/chat, auth: {param_name: k, param_value: v, param_location: query}}
    - {model: {provider: openai, name: d}, route_type: llm/v1/chat, auth: {allow_override: true}}
    - {model: {provider: openai, name: e}, route_type: llm/v1/chat, auth: {allow_override: false}}
`
	warned := func(text string) []string {
		all := []string{}
		for _, w := range configtest.Load(t, text, load.Options{AllowUnset: true}).Keyless() {
			all = append(all, w.String())
		}
		return all
	}
	const what = " no credential: requests go there without one, and a client's own Authorization is dropped unless allow_override is true"
	require.Equal(t, []string{"kong.yaml:7: config.targets[1].auth: this target and 1 more have" + what}, warned(text))
	require.Equal(t, []string{"kong.yaml:5: config.targets[0].auth: this target has" + what}, warned(configtest.Minimal))
	require.Empty(t, warned(strings.Replace(text, "enabled: true", "enabled: false", 1)))
	for _, value := range []string{`"Bearer "`, `" "`, "bearer"} {
		blank := strings.Replace(text, "$KEY", value, 1)
		require.Equal(t, []string{"kong.yaml:6: config.targets[0].auth: this target and 2 more have" + strings.Replace(what, "no", "an empty", 1)}, warned(blank), value)
	}
	require.Equal(t, warned(text), warned(strings.Replace(text, "$KEY", "Bearer $UNSET", 1)), "the value is not known")
}
