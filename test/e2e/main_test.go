// Package e2e_test shows what semlb does for clients and providers, end to end,
// on a real Envoy.
package e2e_test

import (
	"testing"

	"semlb/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
