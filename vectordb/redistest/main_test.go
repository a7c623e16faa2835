package redistest_test

import (
	"testing"

	"semlb/vectordb/redistest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, redistest.IgnoreProbe()) }
