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

// rewriter is the inner role: it rewrites an attempt for its target of the plan that
// the request carries. Any replica can do it.
type rewriter struct {
	responder
	snapshot func() *Snapshot
	metrics  *Metrics
}

func (r *rewriter) decide(_ context.Context, x *exchange) *extprocv3.ProcessingResponse {
	instance, target, err := planned(r.snapshot(), x)
	if err != nil {
		return envoy.Final(r.failed(x, codePlanLost, "attempt", err))
	}
	request, client, err := readAttempt(x)
	if err != nil {
		return envoy.Final(r.failed(x, codeRewriteFailed, "read attempt", err))
	}
	rewrite, err := target.Rewrite(request, client)
	if err != nil {
		return envoy.Final(r.refuse(x, err))
	}
	r.metrics.rewrites.Inc()
	set := []envoy.Header{{Name: envoy.HeaderCluster, Value: target.Cluster}}
	return x.rewritten(envoy.RoleInner, rewrite, withServed(set, instance, target, rewrite.Model))
}

// planned finds the instance and the target of an attempt.
func planned(s *Snapshot, x *exchange) (*Instance, *Target, error) {
	instance := s.Instances[x.header(envoy.HeaderInstance)]
	if instance == nil {
		return nil, nil, errors.New("find plan: its instance is not configured")
	}
	number, err := strconv.Atoi(x.header(envoy.HeaderAttempt))
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

// readAttempt reads the client's request: from the body of attempt 1 and the originals
// that its rewrite kept, or from the body alone if attempt 1 was not rewritten.
//
// The request was readable when its plan was made, so no error is the client's. An error
// has the code only of a [provider.RequestError], whose message may quote the request.
func readAttempt(x *exchange) (*provider.Request, provider.Client, error) {
	var request *provider.Request
	var err error
	if x.captures, err = readCaptures(x); err != nil {
		return nil, provider.Client{}, fmt.Errorf("read captures: %w", err)
	}
	client := clientOf(x)
	if originals := x.header(envoy.HeaderOriginals); originals != "" {
		request, client.Query, err = provider.ReadAttempt(x.body, originals)
	} else {
		request, err = provider.ReadRequest(x.body)
	}
	var bad *provider.RequestError
	if errors.As(err, &bad) {
		err = errors.New(bad.Code)
	}
	return request, client, err
}
