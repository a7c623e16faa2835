package parts

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	rulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	headersv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	codecv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/upstream_codec/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	previoushostsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

// serviceGRPC is how Envoy calls semlb: its filters, access logs and xDS.
func serviceGRPC() *corev3.GrpcService {
	return &corev3.GrpcService{
		TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: envoy.ServiceCluster}},
	}
}

// service is the cluster of semlb's gRPC servers. Where there may be several, Envoy
// checks their health.
func service(e Endpoint, replicas []Endpoint) *clusterv3.Cluster {
	addresses := []*corev3.Address{e.Address()}
	named := e.isName()
	for _, r := range replicas {
		addresses = append(addresses, r.Address())
		named = named || r.isName()
	}
	options := &httpv3.HttpProtocolOptions{
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
					Http2ProtocolOptions: &corev3.Http2ProtocolOptions{},
				},
			},
		},
	}
	c := &clusterv3.Cluster{
		Name:                 envoy.ServiceCluster,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		ConnectTimeout:       durationpb.New(time.Second),
		CircuitBreakers:      unlimitedBreakers(),
		LoadAssignment:       loadAssignment(envoy.ServiceCluster, addresses...),
	}
	if named {
		discoverReplicas(c)
	}
	if named || len(replicas) > 0 {
		replicated(c)
		options.HttpFilters = numberedTries()
	}
	c.TypedExtensionProtocolOptions = httpOptions(options)
	return c
}

// numberedTries tell a replica how often Envoy has made its call: one that does not take a
// call leaves it to another one, unless this is the last try.
func numberedTries() []*hcmv3.HttpFilter {
	number := setHeader(envoy.MetadataTry, "%UPSTREAM_REQUEST_ATTEMPT_COUNT%")
	return []*hcmv3.HttpFilter{
		httpFilter("envoy.filters.http.header_mutation", &headersv3.HeaderMutation{Mutations: &headersv3.Mutations{
			RequestMutations: []*rulesv3.HeaderMutation{{Action: &rulesv3.HeaderMutation_Append{Append: number}}},
		}}),
		httpFilter("envoy.filters.http.upstream_codec", &codecv3.UpstreamCodec{}),
	}
}

// anotherReplica retries on another replica where the first one could not be reached, or
// did not take the call (UNAVAILABLE before any message). Other calls that were delivered
// are not retried.
func anotherReplica() *corev3.RetryPolicy {
	return &corev3.RetryPolicy{
		RetryOn:    "connect-failure,refused-stream,reset-before-request,unavailable",
		NumRetries: wrapperspb.UInt32(envoy.MostTries - 1),
		RetryBackOff: &corev3.BackoffStrategy{
			// The first delay is 5 ms on average. All together last until a replica that has just
			// ended is taken out.
			BaseInterval: durationpb.New(10 * time.Millisecond), MaxInterval: durationpb.New(50 * time.Millisecond),
		},
		RetryHostPredicate: []*corev3.RetryPolicy_RetryHostPredicate{{
			Name: "envoy.retry_host_predicates.previous_hosts",
			ConfigType: &corev3.RetryPolicy_RetryHostPredicate_TypedConfig{
				TypedConfig: Typed(&previoushostsv3.PreviousHostsPredicate{}),
			},
		}},
		HostSelectionRetryMaxAttempts: envoy.Tries, // until one is found that was not tried
	}
}

// healthInterval is the interval of health checks. A replica that shuts down reports
// NOT_SERVING for a few seconds first.
const healthInterval = 500 * time.Millisecond

// replicated takes unhealthy replicas out of the cluster: those that fail the health
// check, and at once those to which a connection failed. Answers to requests do not
// count.
func replicated(c *clusterv3.Cluster) {
	every := durationpb.New(healthInterval)
	c.HealthChecks = []*corev3.HealthCheck{{
		Timeout: durationpb.New(2 * time.Second), Interval: every, NoTrafficInterval: every,
		UnhealthyThreshold: wrapperspb.UInt32(1), HealthyThreshold: wrapperspb.UInt32(1),
		HealthChecker: &corev3.HealthCheck_GrpcHealthCheck_{GrpcHealthCheck: &corev3.HealthCheck_GrpcHealthCheck{}},
	}}
	// Envoy's default gathers changes of the health for a second. Meanwhile calls would go on
	// to a replica that has ended.
	c.CommonLbConfig = &clusterv3.Cluster_CommonLbConfig{UpdateMergeWindow: durationpb.New(0)}
	never := wrapperspb.UInt32(0)
	c.OutlierDetection = &clusterv3.OutlierDetection{
		SplitExternalLocalOriginErrors: true,
		ConsecutiveLocalOriginFailure:  wrapperspb.UInt32(1),
		BaseEjectionTime:               durationpb.New(time.Second),
		MaxEjectionTime:                durationpb.New(time.Second),
		MaxEjectionPercent:             wrapperspb.UInt32(100),
		Interval:                       every,

		EnforcingConsecutive_5Xx:               never,
		EnforcingConsecutiveGatewayFailure:     never,
		EnforcingSuccessRate:                   never,
		EnforcingLocalOriginSuccessRate:        never,
		EnforcingFailurePercentage:             never,
		EnforcingFailurePercentageLocalOrigin:  never,
		EnforcingConsecutiveLocalOriginFailure: wrapperspb.UInt32(100),
	}
}
