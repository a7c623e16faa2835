package provider_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
)

func newTarget(t testing.TB, s provider.Settings) *provider.Target {
	t.Helper()
	if s.RouteType == "" {
		s.RouteType = "llm/v1/chat"
	}
	target, err := provider.New(s)
	require.NoError(t, err)
	return target
}
