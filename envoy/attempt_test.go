package envoy

import (
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"
)

// Every flag for which local replies decide whether the next target is tried is read from
// log entries, and has the same class there.
func TestLogEntriesHaveTheFlagsOfReplies(t *testing.T) {
	known := make(map[string]bool)
	flags := (&dataaccesslogv3.ResponseFlags{}).ProtoReflect()
	fields := flags.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.Kind() != protoreflect.BoolKind {
			continue
		}
		one := &dataaccesslogv3.ResponseFlags{}
		one.ProtoReflect().Set(field, protoreflect.ValueOfBool(true))
		short := flagsOf(one)
		require.LessOrEqual(t, len(short), 1, field.Name())
		for _, f := range short {
			require.False(t, known[f], "%s twice", f)
			known[f] = true
		}
	}
	for _, f := range attemptFailures {
		for _, flag := range f.Flags {
			require.True(t, known[flag], flag)
			require.Equal(t, f.Class, classOf([]string{flag}, f.Details))
		}
	}
	require.Equal(t, ClassConnect, classOf([]string{"UF"}, "upstream_reset_before_response_started{remote_connection_failure}"))
	require.Empty(t, classOf([]string{"DC"}, ""))
	require.Empty(t, classOf(nil, ""))
}

// The numbers are those that Envoy 1.36 and 1.40 report.
func TestMalformedAnswersAreToldFromOnesThatBreakOff(t *testing.T) {
	for _, c := range []struct {
		name           string
		flags          *dataaccesslogv3.ResponseFlags
		details        string
		answered       bool
		wire, head     uint64
		class          Class
		malformed, got bool
	}{
		{"inside the head, or garbage, over HTTP/1", protocolError, "protocol_error", false, 14, 0, ClassProtocol, false, false},
		{"status 099 over HTTP/1", protocolError, "protocol_error", false, 39, 18, ClassProtocol, true, false},
		{"garbage over HTTP/2", protocolError, "protocol_error", false, 0, 0, ClassProtocol, true, false},
		{"PROTOCOL_ERROR from the provider", protocolError, "protocol_error", false, 13, 0, ClassProtocol, false, false},
		{"an unasked 101", nil, "", true, 79, 39, ClassProtocol, true, false},
		{"a body without a head", nil, "", false, 11, 0, ClassProtocol, true, false},
		{"an answer", nil, "via_upstream", true, 79, 39, "", false, true},
		{"an answer whose body breaks off", protocolError, "protocol_error", true, 41, 19, ClassProtocol, false, true},
	} {
		a := Attempt{Answered: c.answered, Ended: true, Class: classOf(flagsOf(c.flags), c.details)}
		a.readMalformed(&dataaccesslogv3.HTTPAccessLogEntry{
			CommonProperties: &dataaccesslogv3.AccessLogCommon{UpstreamWireBytesReceived: c.wire},
			Response:         &dataaccesslogv3.HTTPResponseProperties{ResponseCodeDetails: c.details, UpstreamHeaderBytesReceived: c.head},
		})
		require.Equal(t, c.class, a.Class, c.name)
		require.Equal(t, c.malformed, a.Malformed, c.name)
		require.Equal(t, c.got, a.Answered, c.name)
	}
}

var protocolError = &dataaccesslogv3.ResponseFlags{UpstreamProtocolError: true}

// TestOnlyAnIdleConnectionMakesAnAttemptStale: an attempt whose cluster is absent is made
// again too, and was not sent.
func TestOnlyAnIdleConnectionMakesAnAttemptStale(t *testing.T) {
	for label, want := range map[string]Attempt{
		"":                  {Unsent: true},
		"1500":              {Stale: true},
		string(ClassAbsent): {Unsent: true},
	} {
		flags := &dataaccesslogv3.ResponseFlags{NoClusterFound: want.Unsent, UpstreamConnectionTermination: want.Stale}
		a, err := ReadAttempt(&dataaccesslogv3.HTTPAccessLogEntry{
			CommonProperties: &dataaccesslogv3.AccessLogCommon{ResponseFlags: flags, Metadata: &corev3.Metadata{
				FilterMetadata: map[string]*structpb.Struct{MetadataNamespace: {Fields: map[string]*structpb.Value{
					KeyPlan: structpb.NewStringValue("a"), KeyInstance: structpb.NewStringValue("i"), KeyAttempt: structpb.NewStringValue("1"),
				}}},
			}},
			Response: &dataaccesslogv3.HTTPResponseProperties{ResponseHeaders: map[string]string{HeaderRepeat: label}},
		})
		require.NoError(t, err)
		require.Equal(t, [2]bool{want.Stale, want.Unsent}, [2]bool{a.Stale, a.Unsent}, label)
	}
}

func TestTransportFailuresAreAClosedSet(t *testing.T) {
	for reason, want := range map[string]string{
		"": "",
		"delayed connect error: Connection refused":                                        "refused",
		"TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS": "tls",
		"immediate_connect_error:_Network_is_unreachable":                                  "other",
		"connection timeout": "timeout",
	} {
		require.Equal(t, want, transportOf(reason), reason)
	}
}

// Envoy's own answer to a request without a plan has the code in the log that the client
// got, for each mapper of the outer hop.
func TestLogEntriesHaveTheCodesOfReplies(t *testing.T) {
	for _, c := range []struct {
		flags   []string
		details string
		status  int
		want    string
	}{
		{nil, "semlb_no_match", 503, ""},
		{nil, "semlb_internal_error", 500, ""},
		{[]string{"DC"}, "downstream_remote_disconnect", 0, codeClientGone},
		{[]string{"DR"}, "http2.remote_reset", 0, codeClientGone},
		{nil, "direct_response", 404, "no_route"},
		{nil, "direct_response", 426, "https_required"},
		{nil, "direct_response", 301, "https_required"},
		{nil, "ext_proc_error_gRPC_error_14{upstream_connect_error}", 503, "router_unavailable"},
		{nil, "request_payload_too_large", 413, "request_too_large"},
		{nil, "Header_mutation_operation_not_allowed_for_append", 500, "internal_error"},
		{[]string{"NC"}, "cluster_not_found", 503, "upstream_unavailable"},
		{nil, "http1.codec_error", 400, "bad_request"},
		{nil, "route_not_found", 404, "no_route"},
		{nil, "request_overall_timeout", 408, "request_timeout"},
		{nil, "low_version", 426, "http_version_not_supported"},
		{nil, "request_headers_too_large", 431, "headers_too_large"},
		{nil, "path_normalization_failed", 403, "request_refused"},
		{nil, "overload", 503, "overloaded"},
		{nil, "semlb_overloaded", 503, ""},
		{nil, "internal_redirect", 503, "gateway_error"},
	} {
		got := ownAnswer(c.flags, c.details, c.status)
		require.Equal(t, c.want, got, c.details)
		if got != "" {
			require.Contains(t, OwnAnswers(), got)
		}
	}
}
