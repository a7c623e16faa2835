package server

import (
	"log/slog"
	"strings"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"

	"semlb/envoy"
	"semlb/provider"
)

// sendParts sends the parts of a body in the role upload to a server whose limit is 100 bytes,
// and returns what Envoy gets.
func sendParts(t *testing.T, parts []string, head ...string) (told []*extprocv3.ProcessingResponse) {
	t.Helper()
	instance := &Instance{ID: "i", RouteTypes: []string{"llm/v1/chat"}, BodyLimit: 100, Streaming: provider.StreamingAllow}
	snapshot := &Snapshot{Find: func(Match) *Instance { return instance }}
	o := options(t, func() *Snapshot { return snapshot }, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	o.MaxUploads = mib
	p := NewProcessor(o)
	messages := []*extprocv3.ProcessingRequest{headersMessage(false, append([]string{":path", "/"}, head...)...)}
	for i, part := range parts {
		m := bodyMessage(part)
		m.GetRequestBody().EndOfStream = i == len(parts)-1
		messages = append(messages, m)
	}
	require.NoError(t, p.Process(&oneRequest{
		ctx:      metadata.NewIncomingContext(t.Context(), metadata.Pairs(envoy.RoleKey, envoy.RoleUpload)),
		messages: messages,
		send: func(r *extprocv3.ProcessingResponse) error {
			told = append(told, r)
			return nil
		},
	}))
	return told
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
