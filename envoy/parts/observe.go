package parts

import (
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"semlb/envoy"
)

// observers send copies of an attempt to the observing role. They wait for no answer, so
// they delay no byte of a stream. Each is skipped unless HeaderObserve has its value.
func observers() []*hcmv3.HttpFilter {
	return []*hcmv3.HttpFilter{
		observer(envoy.ObserveAnswer, extprocv3.ProcessingMode_NONE),
		observer(envoy.ObserveAll, extprocv3.ProcessingMode_STREAMED),
	}
}

func observer(what string, requestBody extprocv3.ProcessingMode_BodySendMode) *hcmv3.HttpFilter {
	p := processor(envoy.RoleObserve)
	p.MessageTimeout = durationpb.New(time.Second)
	p.ObservabilityMode = true
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
	// A copy that cannot be sent is dropped.
	p.FailureModeAllow = true
	filter := onlyIf(extProcName, p, matchesHeader(envoy.HeaderObserve, what))
	filter.Name = "semlb.observe_" + what
	return filter
}
