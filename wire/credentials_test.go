package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/wire"
)

func TestCredentialHeadersAreKnownInAnyLetterCase(t *testing.T) {
	for _, name := range []string{"Authorization", "COOKIE", "api-key"} {
		require.True(t, wire.IsCredentialHeader(name))
	}
	require.False(t, wire.IsCredentialHeader("OpenAI-Organization"), "it names an account, and is no secret")
	for _, name := range append(wire.CredentialHeaders(), wire.AccountHeaders()...) {
		require.Equal(t, strings.ToLower(name), name)
		require.True(t, wire.ValidHeaderName(name))
	}
	wire.CredentialHeaders()[0] = "changed"
	require.True(t, wire.IsCredentialHeader("authorization"), "callers get a copy")
}

func TestCredentialsAreKnownByTheWordsOfTheirNames(t *testing.T) {
	for _, name := range []string{
		"Kong-Admin-Token", "X-Vault-Token", "X-Client-Secret", "X-Api-Secret", "X-Session-Token", "X-Auth-Key", "Token", "Authentication",
		"X-JWT-Assertion", "SSL-Client-Cert", "X-Auth-Request-Groups", "X-CSRF-Token", "X-CSRFToken", "api_key", "X-Azure-Key", "Set-Cookie",
		"X-Session", "accessToken", "x.api.key", "X-Authenticated-Groups", "X-Forwarded-User", "Authorization", "apikey",
	} {
		require.True(t, wire.NamesCredential(name), name)
	}
	for _, name := range []string{
		"Idempotency-Key", "Sec-WebSocket-Key", "session_id", "X-Claude-Code-Session-Id", "x-session-affinity", "anthropic-version", "anthropic-beta",
		"OpenAI-Beta", "OpenAI-Organization", "X-Stainless-Retry-Count", "X-Client-Request-Id", "x-ms-client-request-id", "traceparent", "X-Portkey-Trace-Id",
		"X-Max-Tokens", "authority", "user-agent", "api-version", "x-keyboard", "x-author", ":path", "",
	} {
		require.False(t, wire.NamesCredential(name), name)
	}
	for _, name := range wire.CredentialHeaders() {
		require.True(t, wire.NamesCredential(name), name)
	}
	require.Zero(t, testing.AllocsPerRun(10, func() { wire.NamesCredential("x-stainless-retry-count") }))
}
