package envoy

import (
	"time"

	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	metadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const extProcName = "envoy.filters.http.ext_proc"

// processor is the external processor in one of its roles: it is sent headers and
// the whole body of the request, and nothing of the response.
func processor(role string, timeout time.Duration) *extprocv3.ExternalProcessor {
	return &extprocv3.ExternalProcessor{
		GrpcService: &corev3.GrpcService{
			TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: serviceCluster}},
			InitialMetadata: []*corev3.HeaderValue{{Key: RoleKey, Value: role}},
			RetryPolicy:     anotherReplica(),
		},
		ProcessingMode: &extprocv3.ProcessingMode{
			RequestHeaderMode:   extprocv3.ProcessingMode_SEND,
			RequestBodyMode:     extprocv3.ProcessingMode_BUFFERED,
			RequestTrailerMode:  extprocv3.ProcessingMode_SKIP,
			ResponseHeaderMode:  extprocv3.ProcessingMode_SKIP,
			ResponseBodyMode:    extprocv3.ProcessingMode_NONE,
			ResponseTrailerMode: extprocv3.ProcessingMode_SKIP,
		},
		MessageTimeout: durationpb.New(timeout),
		// Never true: a request that was not rewritten must not leave.
		FailureModeAllow: false,
		MutationRules:    mutationRules(role),
	}
}

// mutationRules let a role set the route, and of Envoy's own headers those that it
// needs: the outer one says what may be retried ([Policy.Headers]), and the inner one
// that an answer is final ([Final]). Anything else of Envoy's is an error: it ends
// the request and counts as rejected_header_mutations.
func mutationRules(role string) *mutationrulesv3.HeaderMutationRules {
	own := map[string]string{
		RoleOuter: "x-envoy-(max-retries|retry-on|retriable-header-names|retriable-status-codes)",
		RoleInner: headerRateLimited,
	}
	return &mutationrulesv3.HeaderMutationRules{
		AllowAllRouting: wrapperspb.Bool(true),
		AllowEnvoy:      wrapperspb.Bool(false),
		AllowExpression: &matcherv3.RegexMatcher{Regex: own[role]},
		DisallowIsError: wrapperspb.Bool(true),
	}
}

// outerProcessor is the outer role. It is told the Kong route, which Envoy's route is
// named after, and the consumer. It keeps the route that the client's request matched:
// the rewritten path and host are those of the target, which a Kong route with paths
// or hosts does not match.
func outerProcessor(timeout time.Duration) *extprocv3.ExternalProcessor {
	p := processor(RoleOuter, timeout)
	p.RequestAttributes = []string{AttributeRoute}
	p.GrpcService.InitialMetadata = append(p.GrpcService.InitialMetadata, &corev3.HeaderValue{Key: MetadataConsumer, Value: FromCredentials})
	p.RouteCacheAction = extprocv3.ExternalProcessor_RETAIN
	return p
}

// gatedProcessor is the inner role, skipped on an attempt that the outer role
// rewrote already, which is a first attempt that HeaderFirst has a cluster for.
// The gate saves a third of the throughput.
func gatedProcessor(timeout time.Duration) *hcmv3.HttpFilter {
	return skipIf(extProcName, processor(RoleInner, timeout),
		allOf(matchesHeader(headerAttempt, "1"), matchesHeader(HeaderFirst, ".+")))
}

// planMetadata moves what the response needs of the plan from the request's
// headers into dynamic metadata, where local replies and response headers find it.
func planMetadata() *hcmv3.HttpFilter {
	return httpFilter("envoy.filters.http.header_to_metadata", &metadatav3.Config{
		RequestRules: []*metadatav3.Config_Rule{
			headerToMetadata(HeaderServed, metadataServed, true),
			headerToMetadata(HeaderRetry, metadataRetry, false),
		},
	})
}

func headerToMetadata(header, key string, remove bool) *metadatav3.Config_Rule {
	return &metadatav3.Config_Rule{
		Header:          header,
		OnHeaderPresent: &metadatav3.Config_KeyValuePair{MetadataNamespace: metadataSpace, Key: key},
		Remove:          remove,
	}
}

// terminal is the router filter. Envoy's own response headers would tell clients
// of the inner hop.
func terminal() *hcmv3.HttpFilter {
	return httpFilter("envoy.filters.http.router", &routerv3.Router{SuppressEnvoyHeaders: true})
}
