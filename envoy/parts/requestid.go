package parts

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"semlb/envoy"
)

// keptRequestID keeps a client's own request ID: it is that of the client's logs and traces.
func keptRequestID() *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		PreserveExternalRequestId:     true,
		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{soundRequestID()},
	}
}

// soundRequestID removes a client's x-request-id, so that Envoy makes another one, unless
// it is printable ASCII and short: gRPC refuses whole batches of access logs for one text
// that is not UTF-8, and every log line has the ID.
func soundRequestID() *corev3.TypedExtensionConfig {
	const id = "request.headers['x-request-id']"
	const kept = "%CEL(size(" + id + ") <= 128 && " + id + ".matches('^[!-~]+$') ? " + id + " : '')%"
	return early(
		remove(envoy.ClientIDHeader), set(envoy.ClientIDHeader, kept),
		remove("x-request-id"), set("x-request-id", "%REQ(X-SEMLB-REQUEST-ID)%"),
	)
}

// idHeaders are the request ID in an answer. Its x-request-id is the client's, if the client
// sent one, so that both sides of it have one ID; else the provider's, which SDKs report,
// and where there is none, ours.
func idHeaders() []*corev3.HeaderValueOption {
	const requestID = "%REQ(X-REQUEST-ID)%"
	overProviders := setHeader("x-request-id", "%REQ(X-SEMLB-REQUEST-ID)%")
	overProviders.AppendAction = corev3.HeaderValueOption_OVERWRITE_IF_EXISTS
	unlessSent := setHeader("x-request-id", requestID)
	unlessSent.AppendAction = corev3.HeaderValueOption_ADD_IF_ABSENT
	return []*corev3.HeaderValueOption{overProviders, unlessSent, setHeader(headerKongID, requestID)}
}
