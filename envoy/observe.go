package envoy

import (
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
)

// What of an attempt is sent to the observing role: the values of HeaderObserve.
const (
	// ObserveAnswer is the answer only, for statistics.
	ObserveAnswer = "answer"
	// ObserveAll is the request as the provider gets it, and the answer, for logs of
	// payloads.
	ObserveAll = "all"
)

// observers send copies of an attempt to the observing role and wait for nothing:
// no byte of a stream comes later for them. Each is skipped unless HeaderObserve
// asks for it.
func observers() []*hcmv3.HttpFilter {
	return []*hcmv3.HttpFilter{
		observer(ObserveAnswer, extprocv3.ProcessingMode_NONE),
		observer(ObserveAll, extprocv3.ProcessingMode_STREAMED),
	}
}

func observer(what string, requestBody extprocv3.ProcessingMode_BodySendMode) *hcmv3.HttpFilter {
	p := processor(RoleObserve, time.Second)
	p.ObservabilityMode = true
	p.MutationRules = nil
	p.RequestAttributes = nil
	p.DeferredCloseTimeout = durationpb.New(time.Second)
	p.StatPrefix = "observe_" + what
	p.ProcessingMode = &extprocv3.ProcessingMode{
		RequestHeaderMode:   extprocv3.ProcessingMode_SEND,
		RequestBodyMode:     requestBody,
		RequestTrailerMode:  extprocv3.ProcessingMode_SKIP,
		ResponseHeaderMode:  extprocv3.ProcessingMode_SEND,
		ResponseBodyMode:    extprocv3.ProcessingMode_STREAMED,
		ResponseTrailerMode: extprocv3.ProcessingMode_SKIP,
	}
	// A copy that cannot be sent is lost; the attempt goes on.
	p.FailureModeAllow = true
	filter := onlyIf(extProcName, p, matchesHeader(HeaderObserve, what))
	filter.Name = "semlb.observe_" + what
	return filter
}
