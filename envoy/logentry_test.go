package envoy

import (
	"testing"

	dataaccesslogv3 "github.com/envoyproxy/go-control-plane/envoy/data/accesslog/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Every flag that decides whether the next target is tried is one that the access
// log service understands, and has the same class there.
func TestFlagsOfTheLogAreThoseOfReplies(t *testing.T) {
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
	for _, f := range failures() {
		for _, flag := range f.flags {
			require.True(t, known[flag], flag)
			require.Equal(t, f.class, classOf([]string{flag}, f.details))
		}
	}
	require.Equal(t, ClassConnect, classOf([]string{"UF"}, "upstream_reset_before_response_started{remote_connection_failure}"))
	require.Empty(t, classOf([]string{"DC"}, ""))
	require.Empty(t, classOf(nil, ""))
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
