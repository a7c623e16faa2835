package envoy

import (
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The largest head of a request that the outer role accepts, Envoy's own headers such
// as x-request-id included and pseudo-headers left out.
const (
	MaxHeaders = 128
	// MaxHeaderBytes counts names and values.
	MaxHeaderBytes = 64 << 10
)

// headLimits bound the head of a request or a response. Envoy has one limit for what
// comes in and for what filters make of it, and answers 500 where a filter exceeds it.
// So each stage has room for what is added before the next:
//
//   - semlb itself refuses what is longer than [MaxHeaders] and [MaxHeaderBytes], as
//     Envoy cannot: over HTTP/2 it resets the stream instead of answering;
//   - outerHead has room for the plan and the rewrite, innerHead for what the outer
//     router adds and another rewrite;
//   - of answers, providerHead is generous, and innerHead has room for the inner hop's
//     own headers.
type headLimits struct{ count, kib uint32 }

func outerHead() headLimits    { return headLimits{count: 192, kib: 96} }
func innerHead() headLimits    { return headLimits{count: 256, kib: 128} }
func providerHead() headLimits { return headLimits{count: 192, kib: 96} }

// ofRequests bounds what a connection manager takes, and closes connections that are
// idle for so long.
func (l headLimits) ofRequests(m *hcmv3.HttpConnectionManager, idle time.Duration) {
	m.MaxRequestHeadersKb = wrapperspb.UInt32(l.kib)
	m.CommonHttpProtocolOptions = &corev3.HttpProtocolOptions{
		IdleTimeout:     durationpb.New(idle),
		MaxHeadersCount: wrapperspb.UInt32(l.count),
	}
}

// ofResponses bounds what a cluster takes.
func (l headLimits) ofResponses() *corev3.HttpProtocolOptions {
	return &corev3.HttpProtocolOptions{
		MaxHeadersCount:      wrapperspb.UInt32(l.count),
		MaxResponseHeadersKb: wrapperspb.UInt32(l.kib),
	}
}
