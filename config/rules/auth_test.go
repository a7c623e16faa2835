package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/load"
)

// decK leaves {{ … }} as it is, and other tools leave it where they did not run.
func TestATemplateThatIsNotExpandedInACredentialIsAWarning(t *testing.T) {
	const what = "the braces are a part of the credential: a template of decK begins with ${{"
	for auth, field := range map[string]string{
		`{header_name: Authorization, header_value: '{{ printf "Bearer %s" (env "DECK_K") }}'}`:  "header_value",
		`{param_name: key, param_value: "{{ key }}", param_location: query}`:                     "param_value",
		`{header_name: Authorization, header_value: '${{ printf "Bearer %s" (env "DECK_K") }}'}`: "",
		`{header_name: Authorization, header_value: "Bearer {k}"}`:                               "",
	} {
		text := "plugins: [{name: ai-proxy-advanced, config: {targets: [{route_type: llm/v1/chat, model: {provider: openai, name: m}, auth: " + auth + "}]}}]"
		_, warnings, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}},
			load.Options{Env: func(string) (string, bool) { return "k", true }})
		require.NoError(t, err, auth)
		if field == "" {
			require.Empty(t, warnings, auth)
			continue
		}
		require.Len(t, warnings, 1, auth)
		require.Equal(t, "kong.yaml:1: plugins[0].config.targets[0].auth."+field+": "+what, warnings[0].String())
	}
}
