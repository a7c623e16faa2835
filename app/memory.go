package app

import (
	"cmp"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"semlb/envoy/parts"
)

// uploadShare is the part of Envoy's memory that large bodies may take by their lengths.
// Envoy has a second copy while it sends one to semlb, and a third while it sends it on.
const uploadShare = 8

// envoyMemory is what each Envoy may take, in bytes. A child Envoy shares the cgroup of
// this process, and gets three quarters of its memory unless the options say otherwise.
func (o *Options) envoyMemory() int64 {
	memory := cmp.Or(o.EnvoyMemory<<20, parts.DefaultMemory)
	if limit := ownLimit(); o.Envoy != nil && o.EnvoyMemory == 0 && limit > 0 {
		memory = max(min(memory, limit/4*3), parts.MinMemory)
	}
	return memory
}

// ownLimit is the memory limit of this process's cgroup in bytes; 0 if it has none.
func ownLimit() int64 {
	limit, err := memlimit.FromCgroup()
	if err != nil || limit > 1<<62 { // a cgroup's "no limit" is a large number
		return 0
	}
	return int64(limit)
}
