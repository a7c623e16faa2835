package rules_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

// TestFaultsShowNoValueOfAReferenceOfAnotherField gives references where the rules name
// the value of one field in the fault of another one.
func TestFaultsShowNoValueOfAReferenceOfAnotherField(t *testing.T) {
	const reference = `${{ env "DECK_V" }}`
	for value, text := range map[string]string{
		"unseen-MARKER": configtest.Minimal + "    llm_format: " + reference + "\n",
		"bedrock":       configtest.Minimal + "    llm_format: " + reference + "\n",
		"RS256":         configtest.Minimal + "consumers: [{username: a, jwt_secrets: [{key: k, algorithm: '" + reference + "'}]}]\n",
		"unseen-RS":     configtest.Minimal + "consumers: [{username: a, jwt_secrets: [{key: k, algorithm: '" + reference + "', rsa_public_key: x}]}]\n",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}},
			load.Options{Env: configtest.Environment(map[string]string{"DECK_V": value})})
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), value)
	}
}
