package parts

import (
	"strconv"

	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	metadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

const extProcName = "envoy.filters.http.ext_proc"

// processor is the external processor in one of its roles. It receives the headers and
// the whole body of the request, and nothing of the response. Callers add the timeout and
// the mutation rules.
func processor(role string) *extprocv3.ExternalProcessor {
	p := &extprocv3.ExternalProcessor{
		GrpcService: serviceGRPC(),
		ProcessingMode: &extprocv3.ProcessingMode{
			RequestHeaderMode:   extprocv3.ProcessingMode_SEND,
			RequestBodyMode:     extprocv3.ProcessingMode_BUFFERED,
			RequestTrailerMode:  extprocv3.ProcessingMode_SKIP,
			ResponseHeaderMode:  extprocv3.ProcessingMode_SKIP,
			ResponseBodyMode:    extprocv3.ProcessingMode_NONE,
			ResponseTrailerMode: extprocv3.ProcessingMode_SKIP,
		},
		// Never true for a role that rewrites: a request that was not rewritten must not leave.
		FailureModeAllow: false,
	}
	p.GrpcService.InitialMetadata = []*corev3.HeaderValue{
		{Key: envoy.RoleKey, Value: role},
		{Key: envoy.MetadataTries, Value: strconv.Itoa(envoy.Tries)},
	}
	p.GrpcService.RetryPolicy = anotherReplica()
	return p
}

// mutationRules permit a role to set the route, and those of Envoy's own headers that
// match a regular expression. Another of Envoy's headers is an error: it ends the
// request, and counts as rejected_header_mutations.
func mutationRules(own string) *mutationrulesv3.HeaderMutationRules {
	return &mutationrulesv3.HeaderMutationRules{
		AllowAllRouting: wrapperspb.Bool(true),
		AllowEnvoy:      wrapperspb.Bool(false),
		AllowExpression: &matcherv3.RegexMatcher{Regex: own},
		DisallowIsError: wrapperspb.Bool(true),
	}
}

// planner is the outer role. The route that the client's request matched stays in force:
// the rewritten path and host are those of the target, which a Kong route with paths or
// hosts does not match. Of Envoy's headers it sets those of [envoy.Policy.Headers].
func planner(c Config) *extprocv3.ExternalProcessor {
	p := processor(envoy.RoleOuter)
	p.MessageTimeout = c.messageTimeout()
	p.MutationRules = mutationRules("x-envoy-(max-retries|retry-on|retriable-header-names|retriable-status-codes)")
	p.RouteCacheAction = extprocv3.ExternalProcessor_RETAIN
	return p
}

// outerProcessor is the outer role behind our own routes: the name of Envoy's route is that
// of the Kong route.
func outerProcessor(c Config) *hcmv3.HttpFilter {
	p := planner(c)
	p.RequestAttributes = []string{envoy.AttributeRoute, envoy.AttributeSource, envoy.AttributeClusters}
	return httpFilter(extProcName, p)
}

// foreignProcessor is the outer role behind foreign routes. It trusts no consumer that the
// listener names; one with a filter that authenticates adds where that filter puts the
// consumer: see [envoy.MetadataConsumer].
func foreignProcessor(c Config) *hcmv3.HttpFilter {
	p := planner(c)
	p.RequestAttributes = []string{
		envoy.AttributeRoute, envoy.AttributeHost, envoy.AttributeRouteMetadata, envoy.AttributeServiceMetadata, envoy.AttributeSource,
	}
	return httpFilter(extProcName, p)
}

// innerProcessor is the inner role. It is skipped on a first attempt that the outer role
// rewrote, and so has a cluster in HeaderFirst: that saves a third of the throughput. Of
// Envoy's headers it sets that of [envoy.Final].
func innerProcessor(c Config) *hcmv3.HttpFilter {
	p := processor(envoy.RoleInner)
	p.MessageTimeout = c.messageTimeout()
	p.RequestAttributes = []string{envoy.AttributeKnown}
	p.MutationRules = mutationRules(envoy.FinalHeader)
	p.MetadataOptions = &extprocv3.MetadataOptions{ReceivingNamespaces: &extprocv3.MetadataOptions_MetadataNamespaces{
		Untyped: []string{envoy.MetadataNamespace}, // see envoy.Replan
	}}
	return skipIf(extProcName, p, rewritten())
}

// rewritten matches a first attempt that the outer role rewrote.
func rewritten() *predicate {
	return allOf(matchesHeader(envoy.HeaderAttempt, "1"), matchesHeader(envoy.HeaderFirst, ".+"))
}

// Keys of what replies and response headers need of the plan, in the dynamic metadata of
// envoy.MetadataNamespace.
const (
	keyServed = "served"
	keyRetry  = "retry"
)

// planMetadata copies what the response needs of the plan from the request's headers to
// dynamic metadata, where local replies and response headers find it, and what the log
// entry needs if the inner role has changed the plan.
func planMetadata() *hcmv3.HttpFilter {
	return httpFilter("envoy.filters.http.header_to_metadata", &metadatav3.Config{
		RequestRules: []*metadatav3.Config_Rule{
			headerToMetadata(envoy.HeaderServed, keyServed, true),
			headerToMetadata(envoy.HeaderRetry, keyRetry, false),
			headerToMetadata(envoy.HeaderInstance, envoy.KeyInstance, false),
			headerToMetadata(envoy.HeaderPlan, envoy.KeyPlan, false),
		},
	})
}

// attemptMetadata copies what the attempt's log entry needs of the plan.
func attemptMetadata() *hcmv3.HttpFilter {
	return httpFilter("semlb.attempt", &metadatav3.Config{RequestRules: []*metadatav3.Config_Rule{
		headerToMetadata(envoy.HeaderInstance, envoy.KeyInstance, false),
		headerToMetadata(envoy.HeaderPlan, envoy.KeyPlan, false),
		headerToMetadata(envoy.HeaderAttempt, envoy.KeyAttempt, false),
		headerToMetadata(envoy.HeaderProbes, envoy.KeyProbes, false),
	}})
}

func headerToMetadata(header, key string, remove bool) *metadatav3.Config_Rule {
	return &metadatav3.Config_Rule{
		Header:          header,
		OnHeaderPresent: &metadatav3.Config_KeyValuePair{MetadataNamespace: envoy.MetadataNamespace, Key: key},
		Remove:          remove,
	}
}

// routerFilter is the terminal filter. Envoy's own response headers would describe the
// inner hop to clients.
func routerFilter(upstream ...*hcmv3.HttpFilter) *hcmv3.HttpFilter {
	return httpFilter("envoy.filters.http.router", &routerv3.Router{SuppressEnvoyHeaders: true, UpstreamHttpFilters: upstream})
}
