package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"semlb/envoy"
	"semlb/provider"
)

// attempt is the inner role: it rewrites an attempt for its target of the plan
// that the request carries. Any replica can do it.
func (p *Processor) attempt(ctx context.Context, x *exchange) *extprocv3.ProcessingResponse {
	instance, target, err := planned(p.snapshot(), x)
	if err != nil {
		p.log.ErrorContext(ctx, "attempt", "request_id", x.requestID(), "error", err)
		return envoy.Final(p.fault(codePlanLost))
	}
	response, err := again(x, instance, target)
	if err != nil {
		return envoy.Final(p.refuse(ctx, x, err))
	}
	p.metrics.rewrites.Inc()
	return response
}

// planned finds the instance and the target of an attempt.
func planned(s *Snapshot, x *exchange) (*Instance, *Target, error) {
	instance := s.Instances[x.header(envoy.HeaderInstance)]
	if instance == nil {
		return nil, nil, errors.New("find plan: its instance is not configured")
	}
	number, err := strconv.Atoi(x.header("x-envoy-attempt-count"))
	if err != nil {
		return nil, nil, fmt.Errorf("read attempt number: %w", err)
	}
	ids := strings.Split(x.header(envoy.HeaderPlan), ",")
	if number < 1 || number > len(ids) {
		return nil, nil, fmt.Errorf("find plan: attempt %d of %d", number, len(ids))
	}
	target := instance.Targets[ids[number-1]]
	if target == nil {
		return nil, nil, fmt.Errorf("find plan: target %s is not configured", ids[number-1])
	}
	return instance, target, nil
}

// again rewrites an attempt: from the body that the first attempt's rewrite left
// and the originals it kept, or from the client's own request if it left none.
func again(x *exchange, instance *Instance, target *Target) (*extprocv3.ProcessingResponse, error) {
	client := clientOf(x)
	var request *provider.Request
	var err error
	if originals := x.header(envoy.HeaderOriginals); originals != "" {
		request, client.Query, err = provider.ReadAttempt(x.body, originals)
	} else {
		request, err = provider.ReadRequest(x.body)
	}
	if err != nil {
		return nil, err
	}
	rewrite, err := target.Rewrite(request, client)
	if err != nil {
		return nil, err
	}
	set := []envoy.Header{{Name: envoy.HeaderCluster, Value: target.Cluster}}
	return rewritten(rewrite, instance, target, set, envoy.HeaderServed, envoy.HeaderObserve), nil
}
