package parts

import (
	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
)

// headerKeptID holds a client's request ID while it is checked.
const headerKeptID = "x-semlb-request-id"

// earlyMutation names the extension that changes a request before Envoy does.
const earlyMutation = "envoy.http.early_header_mutation.header_mutation"

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
	remove := func(name string) *mutationrulesv3.HeaderMutation {
		return &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_Remove{Remove: name}}
	}
	set := func(name, value string) *mutationrulesv3.HeaderMutation {
		return &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_Append{Append: setHeader(name, value)}}
	}
	return extension(earlyMutation, &earlyv3.HeaderMutation{Mutations: []*mutationrulesv3.HeaderMutation{
		remove(headerKeptID), set(headerKeptID, kept),
		remove("x-request-id"), set("x-request-id", "%REQ(X-SEMLB-REQUEST-ID)%"), remove(headerKeptID),
	}})
}
