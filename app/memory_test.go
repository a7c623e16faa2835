package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"semlb/envoy/parts"
)

const mib = 1 << 20

func TestMemoryIsThatOfTheCgroup(t *testing.T) {
	child := &EnvoyOptions{}
	for name, c := range map[string]struct {
		options Options
		limit   int64
		want    memory
	}{
		"no limit":                {Options{}, 0, memory{0, parts.DefaultMemory, 256 * mib}},
		"serve, 64 MiB":           {Options{}, 64 * mib, memory{64 * mib, parts.DefaultMemory, 16 * mib}},
		"serve, 8 GiB":            {Options{}, 8192 * mib, memory{8192 * mib, parts.DefaultMemory, 256 * mib}},
		"serve, 2 MiB":            {Options{}, 2 * mib, memory{2 * mib, parts.DefaultMemory, mib}},
		"serve, flags":            {Options{MaxBodyMemory: 100, EnvoyMemory: 200}, 64 * mib, memory{64 * mib, 200 * mib, 100 * mib}},
		"run, no limit":           {Options{Envoy: child}, 0, memory{0, parts.DefaultMemory, 256 * mib}},
		"run, 1 GiB":              {Options{Envoy: child}, 1024 * mib, memory{256 * mib, 768 * mib, 64 * mib}},
		"run, 8 GiB":              {Options{Envoy: child}, 8192 * mib, memory{7168 * mib, parts.DefaultMemory, 256 * mib}},
		"run, too little":         {Options{Envoy: child}, 128 * mib, memory{32 * mib, parts.MinMemory, 8 * mib}},
		"run, --envoy-memory 300": {Options{Envoy: child, EnvoyMemory: 300}, 1024 * mib, memory{724 * mib, 300 * mib, 181 * mib}},
	} {
		require.Equal(t, c.want, c.options.divide(c.limit), name)
	}
}

func TestTheRuntimesSoftLimit(t *testing.T) {
	var set []int64
	variables := map[string]string{}
	o := DefaultOptions()
	o.Reading.Env = func(name string) (string, bool) { v, ok := variables[name]; return v, ok }
	limited := memory{own: 100 * mib}
	o.limitHeap(limited)
	o.SetMemoryLimit = func(limit int64) int64 { set = append(set, limit); return 0 }
	o.limitHeap(memory{})
	require.Empty(t, set, "without a limit of the cgroup")
	variables["GOMEMLIMIT"] = "off"
	o.limitHeap(limited)
	require.Empty(t, set, "GOMEMLIMIT says otherwise")
	variables["GOMEMLIMIT"] = ""
	o.limitHeap(limited)
	require.Equal(t, []int64{90 * mib}, set)
}
