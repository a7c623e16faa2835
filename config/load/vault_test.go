package load_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config/configtest"
	"semlb/config/load"
)

// vaultEnvironment has the variables of the tests of vaults.
var vaultEnvironment = configtest.Environment(map[string]string{
	"MY_KEY": "one", "SECURE_MY_KEY": "two", "MY_KEY_PREVIOUS": "zero", "ENCODED": "dGhyZWU=",
	"CREDENTIALS": `{"openai": "sk-json", "port": 7000, "on": true, "none": null, "deep": {"a": "` + configtest.Marker + `"}}`,
	"TEXT":        configtest.Marker, "SECURE_CREDENTIALS": `{"openai": "sk-secure"}`, "LIST": `["` + configtest.Marker + `"]`,
})

// header returns a decK file with a value of a header.
func header(value string) string {
	return configtest.Minimal + "      auth: {header_name: Authorization, header_value: '" + value + "'}\n"
}

func headerOf(t *testing.T, sources ...load.Source) string {
	t.Helper()
	c, warnings, err := load.Sources(sources, load.Options{Env: vaultEnvironment})
	require.NoError(t, err)
	require.Empty(t, warnings)
	return c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal()
}

func TestReferencesToTheEnvironmentsVault(t *testing.T) {
	for reference, want := range map[string]string{
		"{vault://env/my-key}":                            "one",
		"{vault://env/MY_KEY}":                            "one",
		"{vault://env/my-key/}":                           "one",
		"{vault://env/my-key#1}":                          "one",
		"{vault://env/my-key#2}":                          "zero",
		"{vault://env/my-key?prefix=SECURE_}":             "two",
		"{vault://env/my-key?prefix=secure-}":             "two",
		"{vault://env/credentials/openai}":                "sk-json",
		"{vault://env/credentials/port}":                  "7000",
		"{vault://env/credentials/on}":                    "true",
		"{vault://env/credentials/openai?prefix=SECURE_}": "sk-secure",
		"{vault://env/encoded?base64_decode=true}":        "three",
		"{vault://env/my-key?prefix=SECURE_&ttl=60#1}":    "two",
	} {
		require.Equal(t, want, headerOf(t, load.Source{Name: "kong.yaml", Data: []byte(header(reference))}), reference)
	}
}

func TestVaultsOfEveryFormatPrefixReferences(t *testing.T) {
	for name, text := range map[string]string{
		"vaults.yaml":  "vaults: [{name: env, prefix: my-vault, description: d, tags: [a], config: {prefix: SECURE_}}, {name: hcv, prefix: other, config: {token: " + configtest.Marker + "}}]",
		"cluster.yaml": "apiVersion: configuration.konghq.com/v1alpha1\nkind: KongVault\nmetadata: {name: v}\nspec: {backend: env, prefix: my-vault, description: d, config: {prefix: SECURE_}}",
		"main.tf":      "resource \"konnect_gateway_vault\" \"v\" {\n name = \"env\"\n prefix = \"my-vault\"\n config = jsonencode({ prefix = \"SECURE_\" })\n}",
		"create.sh":    "curl localhost:8001/vaults -d name=env -d prefix=my-vault -d config.prefix=SECURE_",
		"put.sh":       "curl -X PUT localhost:8001/vaults/my-vault --json '{\"name\": \"env\", \"config\": {\"prefix\": \"secure-\"}}'",
	} {
		vaults := load.Source{Name: name, Data: []byte(text)}
		for reference, want := range map[string]string{"{vault://my-vault/my-key}": "two", "{vault://my-vault/credentials/openai}": "sk-secure", "{vault://env/my-key}": "one"} {
			require.Equal(t, want, headerOf(t, load.Source{Name: "kong.yaml", Data: []byte(header(reference))}, vaults), name)
		}
		out, _, err := load.Convert([]load.Source{{Name: "kong.yaml", Data: []byte(header("{vault://my-vault/credentials/openai}"))}, vaults}, "deck", load.Options{})
		require.NoError(t, err)
		require.Regexp(t, `header_value: '\{vault://env/(SECURE_|secure-)credentials/openai\}'`, string(out), "no file declares the vault any more: %s", name)
	}
	encoded := "vaults: [{name: env, prefix: b, config: {prefix: EN, base64_decode: true}}]\n"
	require.Equal(t, "three", headerOf(t, load.Source{Name: "kong.yaml", Data: []byte(encoded + header("{vault://b/coded}"))}))
}

func TestKongsOwnPrefixOfReferencesApplies(t *testing.T) {
	env := configtest.Environment(map[string]string{"KONG_VAULT_ENV_PREFIX": "SECURE_", "SECURE_MY_KEY": "two"})
	c := configtest.Load(t, header("{vault://env/my-key}"), load.Options{Env: env})
	require.Equal(t, "two", c.Plugins[0].Settings.Targets[0].Auth.HeaderValue.Reveal())
}

func TestReferencesToVaultsThatCannotBeFilledInAreFaultsWithoutValues(t *testing.T) {
	const at = "kong.yaml:8: plugins[0].config.targets[0].auth.header_value: "
	malformed := "got a malformed vault reference, want the form {vault://env/my-key} or {vault://env/my-key/field}"
	for reference, want := range map[string]string{
		"{vault://env/none/a}":                  "NONE is not set: export NONE=…",
		"{vault://env/text/a}":                  "TEXT: got a value that is no JSON object",
		"{vault://env/list/0}":                  "LIST: got a value that is no JSON object",
		"{vault://env/credentials/b}":           `CREDENTIALS: its JSON has no field "b"`,
		"{vault://env/credentials/none}":        `CREDENTIALS: got a field "none" that is no text`,
		"{vault://env/credentials/deep}":        `CREDENTIALS: got a field "deep" that is no text`,
		"{vault://env/text?base64_decode=true}": "TEXT: got a value that is no base64",
		"{vault://env/a/b/c}":                   malformed,
		"{vault://env/}":                        malformed,
		"{vault://env/a b}":                     malformed,
		"{vault://env/1}":                       malformed,
		"{vault://other/my-key}":                "not supported yet: a vault other than env",
		"{vault://hcv/my-key}":                  "not supported yet: a vault other than env",
		"{vault://nobody/my-key}":               "no vault of this prefix is in the files",
	} {
		text := "vaults: [{name: hcv, prefix: other}]\n" + header(reference)
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text)}}, load.Options{Env: vaultEnvironment})
		require.EqualError(t, err, at+want, reference)
	}
	for text, want := range map[string]string{
		"vaults: [{name: env, prefix: a}, {name: env, prefix: a}]": "kong.yaml:1: vaults[1].prefix: got a second vault of the same prefix",
		"vaults: [{name: env}]":                     "kong.yaml:1: vaults[0].prefix: got nothing, want a non-empty string",
		"vaults: [{name: env, prefix: a, tokn: 1}]": "kong.yaml:1: vaults[0].tokn: unknown field",
	} {
		_, _, err := load.Sources([]load.Source{{Name: "kong.yaml", Data: []byte(text + "\n" + strings.TrimSpace(configtest.Minimal))}}, load.Options{})
		require.EqualError(t, err, want)
	}
}
