package server

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAProvidersIDIsItsOwn(t *testing.T) {
	require.Equal(t, "req_1", providerID("req_1", "ours"))
	require.Empty(t, providerID("ours", "ours"), "it returned what it was sent")
	require.Len(t, providerID(strings.Repeat("x", 1000), "ours"), maxProviderID)
	require.Equal(t, "a?", providerID("a\xff", "ours"))
}
