package load_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

// TestAPasswordInAWrongFieldIsNotShown: a credential may stand where a word or a number
// belongs, or a name.
func TestAPasswordInAWrongFieldIsNotShown(t *testing.T) {
	t.Parallel()
	const text = `_format_version: "3.0"
plugins:
- name: ai-proxy-advanced
  config:
    balancer: {algorithm: PASSWORD, hash_on_header: 5, failover_criteria: [PASSWORD]}
    response_streaming: PASSWORD
    llm_format: PASSWORD
    targets:
    - {route_type: PASSWORD, model: {provider: PASSWORD, name: m}, auth: {header_name: "my secret pw", header_value: x, param_location: PASSWORD, allow_override: PASSWORD}, weight: PASSWORD}
    PASSWORD: 1
  tags: PASSWORD
  protocols: [PASSWORD]
PASSWORD: 3
services:
- {name: PASSWORD, url: "http://user:PASSWORD@h/", protocol: PASSWORD}
consumers:
- {username: a, keyauth_credentials: [{key: 5, PASSWORD: 3, ttl: PASSWORD}], groups: [{name: PASSWORD}]}
`
	for _, password := range []string{"hunter2pass", "Tr0ub4dor", "Summer2024", "password123", "P@ssw0rd!"} {
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(strings.ReplaceAll(text, "PASSWORD", password))}}, load.Options{})
		require.Error(t, err)
		require.NotContains(t, err.Error(), password)
		for _, w := range warnings {
			require.NotContains(t, w.String(), password)
		}
	}
	_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(strings.ReplaceAll(text, "PASSWORD", "rond-robin"))}}, load.Options{})
	require.ErrorContains(t, err, `algorithm: got string "rond-robin", want one of`)
}
