package server

import (
	"slices"

	"semlb/provider"
	"semlb/router"
)

// leaveOutUnfit leaves targets out of a plan for which the request cannot be written, such
// as one whose template takes a value that the request lacks, and returns their IDs: on a
// later attempt the client would get an error of ours instead of the last provider's
// answer. If no target is left, the plan stays as it is, and attempt 1 answers with what the
// request lacks.
func leaveOutUnfit(x *exchange, request *provider.Request, instance *Instance, plan *router.Plan) []string {
	client := clientOf(x)
	var unfit []string
	for _, id := range plan.Targets {
		if instance.Targets[id].Fits(request, client) != nil {
			unfit = append(unfit, id)
		}
	}
	if len(unfit) == 0 || len(unfit) == len(plan.Targets) {
		return nil
	}
	isUnfit := func(id string) bool { return slices.Contains(unfit, id) }
	fit := slices.DeleteFunc(slices.Clone(plan.Targets), isUnfit)
	var probes []router.Probe
	for _, probe := range plan.Probes {
		if isUnfit(probe.Target) {
			instance.Router.ReleaseProbe(probe)
		} else {
			probes = append(probes, probe)
		}
	}
	plan.Targets, plan.Probes = fit, probes
	x.acquiredProbes(instance.Router, probes)
	return unfit
}
