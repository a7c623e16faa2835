package dialects_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/dialects"
)

func TestProvidersAreFoundByName(t *testing.T) {
	s := provider.Settings{ID: "t", Provider: "xai", Model: "m", RouteType: "llm/v1/chat"}
	target, err := dialects.NewTarget(s)
	require.NoError(t, err)
	require.Equal(t, "api.x.ai", target.Endpoint().Host)

	s.Provider = "nobody"
	_, err = dialects.NewTarget(s)
	require.EqualError(t, err, `configure target "t": provider: "nobody" is not supported`)
}
