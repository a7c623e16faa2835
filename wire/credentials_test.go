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
