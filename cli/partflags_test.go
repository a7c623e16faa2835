package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInvalidProviderURLsAreRefused(t *testing.T) {
	for _, tt := range []struct{ provider, url, want string }{
		{"openai", "http://127.0.0.1:9000", ""},
		{"mistral", "https://gateway.test/", ""},
		{"opneai", "http://127.0.0.1:9000", `got the provider "opneai", want one of [anthropic azure `},
		{"openai", "http://127.0.0.1:9000/v1", "without a path"},
		{"openai", "http://127.0.0.1:9000?a=b", "without a path"},
		{"openai", "127.0.0.1:9000", "want http://HOST[:PORT]"},
		{"openai", "file:///etc/passwd", "want http://HOST[:PORT]"},
	} {
		err := checkProviderURL(tt.provider, tt.url)
		if tt.want == "" {
			require.NoError(t, err, tt.url)
			continue
		}
		require.ErrorContains(t, err, tt.want, "%s=%s", tt.provider, tt.url)
	}
}
