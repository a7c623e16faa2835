package server

import (
	"strings"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"semlb/envoy"
)

// FuzzProcess sends any sequence of messages, one for each letter of script, with any
// body and any value in every header that a role reads. The stream always ends with a
// status, there is at most one response for each message, and nothing panics.
func FuzzProcess(f *testing.F) {
	for _, script := range []string{"hb", "eb", "bh", "hhb", "hbb", "hrs", "rs", "t", "u", "", "ht", "hu", "hbrst"} {
		for _, role := range []string{envoy.RoleOuter, envoy.RoleInner, envoy.RoleObserve, "", "x"} {
			f.Add(role, script, goodBody, "a1,b2")
		}
	}
	f.Add(envoy.RoleInner, "hb", `{"model":"model-a1"}`, "AQAA")
	f.Add(envoy.RoleOuter, "hb", "{\"messages\":[]}", "\xff\x00")
	shared := newTestServer(f, fixedPlan{})
	f.Fuzz(func(t *testing.T, role, script, body, value string) {
		if len(script) > 8 || strings.Trim(role, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Skip("longer scripts test nothing new; gRPC metadata has no other bytes")
		}
		w := *shared
		w.t = t
		messages := make([]*extprocv3.ProcessingRequest, len(script))
		for i, c := range []byte(script) {
			messages[i] = message(c, body, value)
		}
		answers, err := w.talk([]string{role}, messages...)
		require.LessOrEqual(t, len(answers), len(messages))
		require.Contains(t, []codes.Code{codes.OK, codes.InvalidArgument}, status.Code(err), err)
		for _, a := range answers {
			require.NotNil(t, a.GetResponse())
			_, err := proto.Marshal(a)
			require.NoError(t, err)
		}
		require.Zero(t, w.panics())
	})
}

// message is the message of a letter.
func message(c byte, body, value string) *extprocv3.ProcessingRequest {
	headers := headersMessage(c == 'e',
		":path", value, ":method", "POST", "content-type", "application/json", "content-encoding", "",
		envoy.HeaderInstance, "i", envoy.HeaderPlan, value, envoy.HeaderOriginals, value, envoy.HeaderAttempt, "2", "x-request-id", value)
	text := &extprocv3.HttpBody{Body: []byte(body), EndOfStream: true}
	switch c {
	case 'h', 'e':
		return headers
	case 'b':
		return bodyMessage(body)
	case 'r':
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: headers.GetRequestHeaders()}}
	case 's':
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{ResponseBody: text}}
	case 't':
		return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseTrailers{ResponseTrailers: &extprocv3.HttpTrailers{}}}
	default:
		return &extprocv3.ProcessingRequest{}
	}
}
