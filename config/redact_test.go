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

// A short credential is a part of many words, which are kept, as is the rest of a text.
func TestShortSecretsAreTakenOutWhereTheyStandAlone(t *testing.T) {
	r := config.NewRedactor([]wire.Secret{wire.NewSecret("abc"), wire.NewSecret("a"), wire.NewSecret("p/é"), wire.NewSecret("secret1"), wire.NewSecret("secret1 with more")})
	for text, want := range map[string]string{
		"Duplicated credential key: 'abc'": "Duplicated credential key: '[redacted]'",
		"listener abcdef added: fabc, abc": "listener abcdef added: fabc, [redacted]",
		"an abc_d, abc-d and abc.":         "an abc_d, [redacted]-d and [redacted].",
		"a cat":                            "[redacted] cat",
		`{"p/é":1} /p%2F%C3%A9/`:           `{"[redacted]":1} /[redacted]/`,
		"secret12 secret1":                 "secret12 [redacted]",
		"secret1 with more of it":          "[redacted] of it",
		"abcabc abc":                       "abcabc [redacted]",
	} {
		require.Equal(t, want, r.Redact(text))
	}
	require.Equal(t, "as it is", config.NewRedactor(nil).Redact("as it is"))
}
