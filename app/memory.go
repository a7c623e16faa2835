package app

import (
	"cmp"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"semlb/envoy/parts"
)

// MostBodyMemory is the default of [Options.MaxBodyMemory] where memory has no limit, in MiB.
const MostBodyMemory = 256

const (
	// uploadShare is the part of Envoy's memory that large bodies may take by their lengths.
	// Envoy has a second copy while it sends one to semlb, a third while it gets its rewrite,
	// and a fourth while the hop sends it on.
	uploadShare = 12
	// bodyShare is the part of its own memory that semlb uses for bodies in decisions. Their
	// rewrites need twice as much.
	bodyShare = 4
)

// memory is how much of it the processes may take, in bytes.
type memory struct {
	// own is what this process may take; 0 if nothing limits it.
	own int64
	// envoy is what each Envoy may take.
	envoy int64
	// bodies is what request bodies in decisions may take together.
	bodies int64
}

func (o *Options) memory() memory { return o.divide(cgroupLimit()) }

// divide divides the memory of this process's cgroup; 0 is one without a limit. A child Envoy
// is in the same cgroup, and gets three quarters of it unless the options say otherwise.
func (o *Options) divide(limit int64) memory {
	m := memory{own: limit, envoy: cmp.Or(o.EnvoyMemory<<20, parts.DefaultMemory), bodies: o.MaxBodyMemory << 20}
	if o.Envoy != nil && limit > 0 {
		if o.EnvoyMemory == 0 {
			m.envoy = max(min(m.envoy, limit/4*3), parts.MinMemory)
		}
		m.own = max(limit-m.envoy, limit/4)
	}
	if m.bodies == 0 {
		m.bodies = MostBodyMemory << 20
		if m.own > 0 {
			m.bodies = max(min(m.bodies, m.own/bodyShare), 1<<20)
		}
	}
	return m
}

// limitHeap tells Go's runtime to collect garbage before the process takes more memory than
// it may. The variable GOMEMLIMIT, which the runtime reads itself, goes before.
func (o *Options) limitHeap(m memory) {
	if set, _ := o.Reading.Env("GOMEMLIMIT"); o.SetMemoryLimit == nil || m.own == 0 || set != "" {
		return
	}
	soft := m.own / 10 * 9 // the rest is for what the runtime does not count, such as the program's pages
	o.SetMemoryLimit(soft)
	o.Log.Info("memory is limited by the cgroup", "own_mib", m.own>>20, "soft_limit_mib", soft>>20,
		"envoy_mib", m.envoy>>20, "bodies_mib", m.bodies>>20)
}

// cgroupLimit is the memory limit of this process's cgroup in bytes; 0 if it has none.
func cgroupLimit() int64 {
	limit, err := memlimit.FromCgroup()
	if err != nil || limit > 1<<62 { // a cgroup's "no limit" is a large number
		return 0
	}
	return int64(limit)
}
