package parts

import (
	"fmt"

	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	customv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/custom_response/v3"
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	codecv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/upstream_codec/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	localv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/custom_response/local_response_policy/v3"
	typematcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

// fromProvider are the filters through which the inner router gets answers. They come
// before the router reads the head: it would believe a provider's x-envoy-overloaded.
func fromProvider() []*hcmv3.HttpFilter {
	return []*hcmv3.HttpFilter{
		httpFilter("envoy.filters.http.header_mutation", &mutationv3.HeaderMutation{Mutations: &mutationv3.Mutations{
			ResponseMutations: []*mutationrulesv3.HeaderMutation{removeMatching(ownNames)},
		}}),
		httpFilter("envoy.filters.http.upstream_codec", &codecv3.UpstreamCodec{}),
	}
}

// oddStatuses are those that Envoy passes on although no client can read them: 101, which
// nobody asked for, below 100 (over HTTP/2) and above 999 (over HTTP/1).
const oddStatuses = "101|0.*|.{1,2}|.{4,}"

// oddAnswers puts an answer of Envoy's own in the place of one with an odd status, which
// would leave a client hanging, and which the next target would not replace.
func oddAnswers() *hcmv3.HttpFilter {
	status := xdsExtension("status", &typematcherv3.HttpResponseHeaderMatchInput{HeaderName: ":status"})
	instead := xdsExtension("odd", &localv3.LocalResponsePolicy{StatusCode: wrapperspb.UInt32(envoy.OddStatus)})
	return httpFilter("envoy.filters.http.custom_response", &customv3.CustomResponse{
		CustomResponseMatcher: onMatch(matchesInput(status, oddStatuses), instead),
	})
}

// oddReplies are the mappers of these answers: see [envoy.InvalidAnswer].
func oddReplies() []*hcmv3.ResponseMapper {
	odd, f := expression(fmt.Sprintf("response.code == %d", envoy.OddStatus)), envoy.InvalidAnswer()
	return []*hcmv3.ResponseMapper{
		mapper(f, both(odd, permits(f.Class)), envoy.HeaderRetry),
		mapper(f, odd, envoy.FinalHeader),
	}
}
