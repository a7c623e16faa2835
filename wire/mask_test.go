package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

func TestWordsThatLookLikeKeysAreMasked(t *testing.T) {
	for text, want := range map[string]string{
		"got sk-live-abcdef, want":                          "got [redacted], want",
		`string "sk-proj-Ab_1-2"`:                           `string "[redacted]"`,
		"OPENAI_API_KEY=sk-1":                               "[redacted]",
		"Q7x9Kq2mV8Lp4Zt3":                                  "[redacted]",
		"a.b[0].8f14e45fceea167a5a36dedd4bea2543: x":        "a.b[0].[redacted]: x",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnMTIz": "[redacted]",
		"AKIAIOSFODNN7EXAMPLE/x":                            "[redacted]",
		"Authorization: Bearer abc":                         "Authorization: Bearer [redacted]",
		"redis://user:pass@host:6379/0":                     "redis://[redacted]@host:6379/0",
		"4929123456781234":                                  "[redacted]",
	} {
		require.Equal(t, want, wire.MaskKeys(text))
	}
}

func TestWordsAndNamesAreNotMasked(t *testing.T) {
	for _, text := range []string{
		"", "got 2147483648, want 1 to 2147483646", "konnect_gateway_plugin_ai_proxy_advanced.p.config.targets[0]",
		"gpt-4o-2024-08-06 gpt-35-turbo-0125 text-embedding-ada-002 o200k_base claude-3-5-sonnet-20241022", "llm/v1/chat",
		`"~/(?:[a-z]{1000}){2}"`, "configuration.konghq.com/v1beta1", "task-runner production1 password123", "Bearer [redacted]",
		"https://llm.example.com:8443/v1/chat/completions", "DECK_OPENAI_API_KEY is not set: export DECK_OPENAI_API_KEY=…",
	} {
		require.Equal(t, text, wire.MaskKeys(text))
	}
}
