package envoy

import (
	"net/netip"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	previoushostsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// service is the cluster of semlb's own gRPC servers: the external processor and,
// in the bootstrap, the control plane. Where there may be several, each is asked for
// its health.
func service(e Endpoint, replicas ...Endpoint) *clusterv3.Cluster {
	addresses := []*corev3.Address{e.address()}
	named := e.Path == "" && !isIP(e.Host)
	for _, r := range replicas {
		addresses = append(addresses, r.address())
		named = named || r.Path == "" && !isIP(r.Host)
	}
	c := &clusterv3.Cluster{
		Name:                 serviceCluster,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		ConnectTimeout:       durationpb.New(time.Second),
		CircuitBreakers:      unlimitedBreakers(),
		LoadAssignment:       loadAssignment(serviceCluster, addresses...),
		TypedExtensionProtocolOptions: httpOptions(&httpv3.HttpProtocolOptions{
			UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
				ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
					ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
						Http2ProtocolOptions: &corev3.Http2ProtocolOptions{},
					},
				},
			},
		}),
	}
	if named {
		discover(c, "")
	}
	if named || len(replicas) > 0 {
		replicated(c)
	}
	return c
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// anotherReplica has Envoy ask another replica where the first one could not be
// reached. A question that reached one is not asked again.
func anotherReplica() *corev3.RetryPolicy {
	return &corev3.RetryPolicy{
		RetryOn:    "connect-failure,refused-stream,reset-before-request",
		NumRetries: wrapperspb.UInt32(2),
		RetryBackOff: &corev3.BackoffStrategy{
			BaseInterval: durationpb.New(time.Millisecond), MaxInterval: durationpb.New(10 * time.Millisecond),
		},
		RetryHostPredicate: []*corev3.RetryPolicy_RetryHostPredicate{{
			Name: "envoy.retry_host_predicates.previous_hosts",
			ConfigType: &corev3.RetryPolicy_RetryHostPredicate_TypedConfig{
				TypedConfig: typed(&previoushostsv3.PreviousHostsPredicate{}),
			},
		}},
		HostSelectionRetryMaxAttempts: 3,
	}
}

// healthInterval is how often a replica is asked for its health. One that is to end
// says so for a few seconds before it does.
const healthInterval = 500 * time.Millisecond

// replicated leaves out replicas that are not well: those that say so or do not
// answer, and at once those whose connection failed. What a replica answers to a
// request is never held against it.
func replicated(c *clusterv3.Cluster) {
	every := durationpb.New(healthInterval)
	c.HealthChecks = []*corev3.HealthCheck{{
		Timeout: durationpb.New(2 * time.Second), Interval: every, NoTrafficInterval: every,
		UnhealthyThreshold: wrapperspb.UInt32(1), HealthyThreshold: wrapperspb.UInt32(1),
		HealthChecker: &corev3.HealthCheck_GrpcHealthCheck_{GrpcHealthCheck: &corev3.HealthCheck_GrpcHealthCheck{}},
	}}
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
