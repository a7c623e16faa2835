package parts

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// headLimits bound the head of a request or a response. Envoy applies one limit both to
// what it receives and to what its filters make of it, and answers 500 where a filter
// exceeds it. So each stage leaves room for what is added before the next:
//
//   - semlb refuses heads beyond envoy.MaxHeaders and envoy.MaxHeaderBytes, because
//     Envoy resets an HTTP/2 stream instead of answering;
//   - outerHead leaves room for the plan and the rewrite, innerHead for what the outer
//     router adds and for another rewrite;
//   - for answers, providerHead is generous, and innerHead leaves room for the inner
//     hop's own headers.
type headLimits struct{ count, kib uint32 }

var (
	outerHead    = headLimits{count: 192, kib: 96}
	innerHead    = headLimits{count: 256, kib: 128}
	providerHead = headLimits{count: 192, kib: 96}
)

// ofRequests limits the requests of a connection manager.
func (l headLimits) ofRequests(m *hcmv3.HttpConnectionManager) {
	m.MaxRequestHeadersKb = wrapperspb.UInt32(l.kib)
	m.CommonHttpProtocolOptions = &corev3.HttpProtocolOptions{MaxHeadersCount: wrapperspb.UInt32(l.count)}
}

// ofResponses are the limits for the responses of a cluster.
func (l headLimits) ofResponses() *corev3.HttpProtocolOptions {
	return &corev3.HttpProtocolOptions{
		MaxHeadersCount:      wrapperspb.UInt32(l.count),
		MaxResponseHeadersKb: wrapperspb.UInt32(l.kib),
	}
}
