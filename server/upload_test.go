package server

import (
	"log/slog"
	"strings"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"semlb/envoy"
	"semlb/provider"
)

// sendParts sends the parts of a body in the role upload to a server whose limit is 100 bytes,
// and returns what Envoy gets.
func sendParts(t *testing.T, parts []string, head ...string) (told []*extprocv3.ProcessingResponse) {
	t.Helper()
	instance := &Instance{ID: "i", RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 100, Streaming: provider.StreamingAllow}
	told, err := sendUpload(t, instance, metadata.Pairs(envoy.RoleKey, envoy.RoleUpload), parts, head...)
	require.NoError(t, err)
	return told
}

// sendUpload is sendParts to a server with an instance, which may be nil, and with any gRPC
// metadata.
func sendUpload(t *testing.T, instance *Instance, md metadata.MD, parts []string, head ...string) (told []*extprocv3.ProcessingResponse, err error) {
	t.Helper()
	messages := []*extprocv3.ProcessingRequest{headersMessage(false, append([]string{":path", "/"}, head...)...)}
	for i, part := range parts {
		m := bodyMessage(part)
		m.GetRequestBody().EndOfStream = i == len(parts)-1
		messages = append(messages, m)
	}
	return sendMessages(t, instance, md, messages...)
}

func sendMessages(t *testing.T, instance *Instance, md metadata.MD, messages ...*extprocv3.ProcessingRequest) (told []*extprocv3.ProcessingResponse, err error) {
	t.Helper()
	snapshot := &Snapshot{Find: func(Match) *Instance { return instance }}
	o := options(t, func() *Snapshot { return snapshot }, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	o.MaxUploads = mib
	err = NewProcessor(o).Process(&oneRequest{
		ctx:      metadata.NewIncomingContext(t.Context(), md),
		messages: messages,
		send: func(r *extprocv3.ProcessingResponse) error {
			told = append(told, r)
			return nil
		},
	})
	return told, err
}

func TestPartsOfABodyArePassedOn(t *testing.T) {
	told := sendParts(t, []string{strings.Repeat("x", 60), strings.Repeat("x", 40)})
	require.Len(t, told, 3)
	require.NotNil(t, told[0].GetRequestHeaders())
	require.NotNil(t, told[1].GetRequestBody())
	require.NotNil(t, told[2].GetRequestBody())
}

func TestABodyThatBecomesTooLongIsRefused(t *testing.T) {
	told := sendParts(t, []string{strings.Repeat("x", 60), strings.Repeat("x", 41)})
	require.Len(t, told, 3)
	require.EqualValues(t, 413, told[2].GetImmediateResponse().GetStatus().GetCode())
}

func TestABodyIsRefusedByItsHead(t *testing.T) {
	for want, head := range map[int][]string{
		413: {"content-length", "101"},
		415: {"content-encoding", "gzip"},
		400: {"content-type", "text/plain"},
	} {
		told := sendParts(t, nil, head...)
		require.Len(t, told, 1, head)
		require.EqualValues(t, want, told[0].GetImmediateResponse().GetStatus().GetCode(), head)
	}
}

func TestABodyThatNoPluginServesIsNotTaken(t *testing.T) {
	told, err := sendUpload(t, nil, metadata.Pairs(envoy.RoleKey, envoy.RoleUpload), nil)
	require.NoError(t, err)
	require.Len(t, told, 1)
	require.EqualValues(t, 404, told[0].GetImmediateResponse().GetStatus().GetCode())

	told, err = sendUpload(t, nil, tried(envoy.RoleUpload, "1"), nil)
	require.Equal(t, codes.Unavailable, status.Code(err), "another replica may have one")
	require.Empty(t, told)
}

func TestTheEndOfAnUploadIsRecordedOnce(t *testing.T) {
	out, made := &replies{stream: &oneRequest{send: func(*extprocv3.ProcessingResponse) error { return nil }}}, 0
	answer := func() *extprocv3.ProcessingResponse {
		made++
		return envoy.Answer(503, nil, "")
	}
	require.NoError(t, out.last(answer))
	require.NoError(t, out.last(answer))
	require.Equal(t, 1, made)
}

func TestAnAdmittedBodyIsMarked(t *testing.T) {
	told := sendParts(t, []string{"x"})
	mutation := told[0].GetRequestHeaders().GetResponse().GetHeaderMutation()
	require.Equal(t, envoy.HeaderAdmitted, mutation.GetSetHeaders()[0].GetHeader().GetKey())
}

func TestTrailersEndABody(t *testing.T) {
	instance := &Instance{ID: "i", RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 100, Streaming: provider.StreamingAllow}
	trailers := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestTrailers{RequestTrailers: &extprocv3.HttpTrailers{}}}
	part := bodyMessage("x")
	part.GetRequestBody().EndOfStream = false
	told, err := sendMessages(t, instance, metadata.Pairs(envoy.RoleKey, envoy.RoleUpload),
		headersMessage(false, ":path", "/"), part, trailers)
	require.NoError(t, err)
	require.Len(t, told, 3)
	require.NotNil(t, told[2].GetRequestTrailers())
}

func TestAnAnswerThatCannotBeMadeEndsNoUpload(t *testing.T) {
	var sent []*extprocv3.ProcessingResponse
	out := &replies{stream: &oneRequest{ctx: t.Context(), send: func(r *extprocv3.ProcessingResponse) error {
		sent = append(sent, r)
		return nil
	}}}
	require.NotNil(t, contain(func() { _ = out.last(func() *extprocv3.ProcessingResponse { panic("no answer") }) }))
	require.NoError(t, out.send(envoy.ContinueBody()))
	require.Len(t, sent, 1)
}
