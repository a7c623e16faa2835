// Package e2e_test shows what semlb does for clients and providers, end to end,
// on a real Envoy.
package e2e_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
