package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/config"
	"semlb/wire"
)

func TestSecretsAreTakenOutOfTexts(t *testing.T) {
	r := config.NewRedactor([]wire.Secret{wire.NewSecret("Bearer sk-one"), wire.NewSecret("sk-one-two"), wire.NewSecret("key\"with\té&/"), wire.NewSecret("red ")})
	for text, want := range map[string]string{
		"Duplicated credential key: 'sk-one-two'": "Duplicated credential key: '[redacted]'",
		"header Bearer sk-one":                    "header [redacted]",
		"token sk-one.":                           "token [redacted].",
		`key: "key\"with\t\303\251&/"`:            `key: "[redacted]"`,     // protobuf
		`{"key": "key\"with\té\u0026/"}`:          `{"key": "[redacted]"}`, // JSON
		"?apikey=key%22with%09%C3%A9%26%2F":       "?apikey=[redacted]",
		"nothing secret":                          "nothing secret",
	} {
		require.Equal(t, want, r.Redact(text))
	}
}

// The words around a short credential would give it away.
func TestATextWithAVeryShortSecretIsNotShown(t *testing.T) {
	r := config.NewRedactor([]wire.Secret{wire.NewSecret("abc")})
	require.Equal(t, "[redacted]", r.Redact("Duplicated credential key: 'abc'"))
	require.Equal(t, "listener added", r.Redact("listener added"))
	require.Equal(t, "as it is", config.NewRedactor(nil).Redact("as it is"))
}
