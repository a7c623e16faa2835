package server

import (
	"slices"

	"semlb/provider"
	"semlb/router"
)

// leaveOutUnfit leaves targets out of a plan for which the request cannot be written, such
// as one whose template takes a value that the request lacks: on a later attempt the client
// would get an error of ours instead of the last provider's answer. If no target is left,
// the plan stays as it is, and attempt 1 answers with what the request lacks.
func leaveOutUnfit(x *exchange, request *provider.Request, instance *Instance, plan *router.Plan) {
	client := clientOf(x)
	unfit := func(id string) bool { return instance.Targets[id].Fits(request, client) != nil }
	if len(plan.Targets) < 2 || !slices.ContainsFunc(plan.Targets, unfit) {
		return
	}
	fit := slices.DeleteFunc(slices.Clone(plan.Targets), unfit)
	if len(fit) == 0 {
		return
	}
	var probes []router.Probe
	for _, probe := range plan.Probes {
		if slices.Contains(fit, probe.Target) {
			probes = append(probes, probe)
		} else {
			instance.Router.ReleaseProbe(probe)
		}
	}
	plan.Targets, plan.Probes = fit, probes
	x.acquiredProbes(instance.Router, probes)
}
