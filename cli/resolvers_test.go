package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResolversAreAddressesWithOrWithoutAPort(t *testing.T) {
	var r resolvers
	for _, text := range []string{"10.0.0.2", "127.0.0.1:5353", "::1", "[::1]:5353"} {
		require.NoError(t, r.Set(text))
	}
	require.Equal(t, "10.0.0.2:53,127.0.0.1:5353,[::1]:53,[::1]:5353", r.String())
	for _, text := range []string{"", "dns.example.com", "dns.example.com:53", "10.0.0.2:", "10.0.0.2:dns", "10.0.0.2/24", "::1:53x"} {
		require.ErrorContains(t, r.Set(text), "want an IP address", text)
	}
	require.Len(t, r, 4)
}
