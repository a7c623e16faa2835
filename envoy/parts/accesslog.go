package parts

import (
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	grpclogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/grpc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"semlb/envoy"
)

const (
	// flushInterval bounds how long an entry waits in Envoy.
	flushInterval = 20 * time.Millisecond
	// flushSize is the size in bytes at which entries are sent without waiting.
	flushSize = 16 << 10
	// probeInterval is how often an attempt that is a probe is reported before its end:
	// the breaker needs to know only that the answer has begun.
	probeInterval = 500 * time.Millisecond
)

// attemptLog reports every attempt when it ends, and a probe while it lasts as well. It
// has no request header. Envoy always sends the path, whose query may hold a key; semlb,
// which wrote that query, does not read it.
func attemptLog() []*accesslogv3.AccessLog {
	log := grpcLog(&grpclogv3.HttpGrpcAccessLogConfig{
		CommonConfig:                   logConfig(envoy.LogAttempts),
		AdditionalResponseHeadersToLog: []string{"retry-after", "date", envoy.UpstreamIDHeader, envoy.HeaderRepeat},
	})
	log.Filter = &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_OrFilter{
		OrFilter: &accesslogv3.OrFilter{Filters: []*accesslogv3.AccessLogFilter{
			{FilterSpecifier: &accesslogv3.AccessLogFilter_LogTypeFilter{LogTypeFilter: &accesslogv3.LogTypeFilter{
				Types: []dataaccesslogv3.AccessLogType{dataaccesslogv3.AccessLogType_DownstreamEnd},
			}}},
			hasMetadata(envoy.KeyProbes),
		}},
	}}
	return []*accesslogv3.AccessLog{log}
}

// attemptLogOptions make Envoy report attempts while they last; attemptLog's filter
// drops all but probes.
func attemptLogOptions() *hcmv3.HttpConnectionManager_HcmAccessLogOptions {
	return &hcmv3.HttpConnectionManager_HcmAccessLogOptions{AccessLogFlushInterval: durationpb.New(probeInterval)}
}

// requestLog reports every request when it ends. The outer hop still has the headers of
// the plan.
func requestLog() []*accesslogv3.AccessLog {
	return []*accesslogv3.AccessLog{grpcLog(&grpclogv3.HttpGrpcAccessLogConfig{
		CommonConfig:                   logConfig(envoy.LogRequests),
		AdditionalRequestHeadersToLog:  []string{envoy.HeaderInstance, envoy.HeaderPlan, envoy.HeaderProbes},
		AdditionalResponseHeadersToLog: []string{"content-type", envoy.UpstreamIDHeader},
	})}
}

func grpcLog(c *grpclogv3.HttpGrpcAccessLogConfig) *accesslogv3.AccessLog {
	return &accesslogv3.AccessLog{
		Name:       "envoy.access_loggers.http_grpc",
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: Typed(c)},
	}
}

func logConfig(name string) *grpclogv3.CommonGrpcAccessLogConfig {
	return &grpclogv3.CommonGrpcAccessLogConfig{
		LogName:             name,
		GrpcService:         serviceGRPC(),
		TransportApiVersion: corev3.ApiVersion_V3,
		BufferFlushInterval: durationpb.New(flushInterval),
		BufferSizeBytes:     wrapperspb.UInt32(flushSize),
	}
}
