// Package providertest is the contract that every dialect passes, and makes
// targets for the tests of other packages.
package providertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/provider"
	"semlb/provider/dialects"
)

// NewTarget prepares a target of good settings as the program does. Its route type
// is llm/v1/chat if the settings name none.
func NewTarget(t testing.TB, s provider.Settings) *provider.Target {
	t.Helper()
	if s.RouteType == "" {
		s.RouteType = string(provider.Chat)
	}
	target, err := dialects.NewTarget(s)
	require.NoError(t, err)
	return target
}
