package stress_test

import (
	"testing"

	"semlb/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
