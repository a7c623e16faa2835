package envoy

import (
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	grpclogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/grpc/v3"
	metadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Names of the access logs that semlb is sent: each stream begins with one.
const (
	// LogAttempts has an entry for each attempt; see [ReadAttempt].
	LogAttempts = "semlb_attempts"
	// LogRequests has an entry for each request; see [ReadFinished].
	LogRequests = "semlb_requests"
)

// Keys of what an attempt's entry says of its plan, in the metadata of
// metadataSpace. Request headers would not do: the route has removed them by the
// time the entry is written.
const (
	metadataInstance = "instance"
	metadataPlan     = "plan"
	metadataAttempt  = "attempt"
	metadataProbes   = "probes"
)

const (
	// flushInterval bounds how long an entry waits in Envoy.
	flushInterval = 20 * time.Millisecond
	// flushSize is the size in bytes at which entries are sent without waiting.
	flushSize = 16 << 10
	// probeInterval is how often an attempt that probes is looked at before its end:
	// that its answer has begun is enough to know.
	probeInterval = 500 * time.Millisecond
)

// attemptLog reports every attempt when it ends, and one that probes a target while
// it lasts. No request header is part of it. The path is, because Envoy always
// sends it, and may hold a key in its query: it goes to where the key came from, by
// the same way, and is not read there.
func attemptLog() []*accesslogv3.AccessLog {
	log := grpcLog(&grpclogv3.HttpGrpcAccessLogConfig{
		CommonConfig:                   logConfig(LogAttempts),
		AdditionalResponseHeadersToLog: []string{"retry-after"},
	})
	log.Filter = &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_OrFilter{
		OrFilter: &accesslogv3.OrFilter{Filters: []*accesslogv3.AccessLogFilter{
			{FilterSpecifier: &accesslogv3.AccessLogFilter_LogTypeFilter{LogTypeFilter: &accesslogv3.LogTypeFilter{
				Types: []dataaccesslogv3.AccessLogType{dataaccesslogv3.AccessLogType_DownstreamEnd},
			}}},
			hasMetadata(metadataProbes),
		}},
	}}
	return []*accesslogv3.AccessLog{log}
}

// attemptLogOptions have Envoy look at attempts while they last; attemptLog's
// filter drops all but those that probe.
func attemptLogOptions() *hcmv3.HttpConnectionManager_HcmAccessLogOptions {
	return &hcmv3.HttpConnectionManager_HcmAccessLogOptions{AccessLogFlushInterval: durationpb.New(probeInterval)}
}

// requestLog reports every request when it ends. The plan's headers are still
// there on the outer hop.
func requestLog() []*accesslogv3.AccessLog {
	return []*accesslogv3.AccessLog{grpcLog(&grpclogv3.HttpGrpcAccessLogConfig{
		CommonConfig:                   logConfig(LogRequests),
		AdditionalRequestHeadersToLog:  []string{HeaderInstance, HeaderPlan, HeaderProbes},
		AdditionalResponseHeadersToLog: []string{"content-type"},
	})}
}

func grpcLog(c *grpclogv3.HttpGrpcAccessLogConfig) *accesslogv3.AccessLog {
	return &accesslogv3.AccessLog{
		Name:       "envoy.access_loggers.http_grpc",
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: typed(c)},
	}
}

func logConfig(name string) *grpclogv3.CommonGrpcAccessLogConfig {
	return &grpclogv3.CommonGrpcAccessLogConfig{
		LogName: name,
		GrpcService: &corev3.GrpcService{
			TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: serviceCluster}},
		},
		TransportApiVersion: corev3.ApiVersion_V3,
		BufferFlushInterval: durationpb.New(flushInterval),
		BufferSizeBytes:     wrapperspb.UInt32(flushSize),
	}
}

// hasMetadata matches requests whose metadata of metadataSpace has a key.
func hasMetadata(key string) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_MetadataFilter{
		MetadataFilter: &accesslogv3.MetadataFilter{
			Matcher: &matcherv3.MetadataMatcher{
				Filter: metadataSpace,
				Path: []*matcherv3.MetadataMatcher_PathSegment{{
					Segment: &matcherv3.MetadataMatcher_PathSegment_Key{Key: key},
				}},
				Value: &matcherv3.ValueMatcher{MatchPattern: &matcherv3.ValueMatcher_PresentMatch{PresentMatch: true}},
			},
			MatchIfKeyNotFound: wrapperspb.Bool(false),
		},
	}}
}

// attemptMetadata keeps what the attempt's entry says of its plan. It comes before
// the inner processor, so that an attempt which that one could not rewrite has an
// entry too.
func attemptMetadata() *hcmv3.HttpFilter {
	return httpFilter("semlb.attempt", &metadatav3.Config{RequestRules: []*metadatav3.Config_Rule{
		headerToMetadata(HeaderInstance, metadataInstance, false),
		headerToMetadata(HeaderPlan, metadataPlan, false),
		headerToMetadata(headerAttempt, metadataAttempt, false),
		headerToMetadata(HeaderProbes, metadataProbes, false),
	}})
}
