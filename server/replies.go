package server

import (
	"strconv"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/record"
	"semlb/router"
	"semlb/wire"
)

// noInstance answers a request that no plugin instance applies to.
func (p *planner) noInstance(x *exchange, s *Snapshot, m Match) *extprocv3.ProcessingResponse {
	if m.Consumer == "" && s.ConsumersOnly {
		return p.answer(x, wire.ErrorBody("This route serves known consumers only; send a credential.", "authentication_error", codeNoConsumer),
			record.Answered{Status: 401, Code: codeNoConsumer})
	}
	return p.answer(x, wire.ErrorBody("No ai-proxy-advanced plugin applies to this request.", "invalid_request_error", codeNoPlugin),
		record.Answered{Status: 404, Code: codeNoPlugin})
}

func (p *planner) clientGone(x *exchange) *extprocv3.ProcessingResponse {
	return p.answer(x, wire.ErrorBody("The client went away.", "invalid_request_error", codeClientGone),
		record.Answered{Status: 499, Code: codeClientGone})
}

// noTarget answers a request for which no target is left.
func (p *planner) noTarget(x *exchange, instance *Instance, plan *router.Plan) *extprocv3.ProcessingResponse {
	if plan.Reason == router.AllOut {
		message := "All targets for this request are temporarily unavailable: " + strings.Join(instance.names(plan.Unavailable), ", ") + "."
		return p.answer(x, wire.ErrorBody(message, "server_error", string(router.AllOut)),
			record.Answered{Status: 500, Code: string(router.AllOut)})
	}
	message := "No target's description matches the request"
	if nearest, measured := plan.Nearest(); measured && plan.Threshold != nil {
		message += ": the nearest is at distance " + strconv.FormatFloat(nearest.Distance, 'f', 4, 64) +
			", the threshold is " + strconv.FormatFloat(*plan.Threshold, 'f', -1, 64)
	}
	return p.answer(x, wire.ErrorBody(message+".", "server_error", string(router.NoMatch)),
		record.Answered{Status: 503, Code: string(router.NoMatch)})
}
