package faults_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"semlb/envoy"
)

// TestFault27ProtocolAbuse talks to a real semlb in Envoy's place. Package server
// has the same on its own server, and a fuzz test of any sequence of messages.
func TestFault27ProtocolAbuse(t *testing.T) {
	r := begin(t, "gRPC streams: no role, response first, body first, unknown and empty messages, headers and body twice, trailers, half-closed early, abandoned, 1,000 at once left open")
	d := deploy(t, options{})
	conn, err := grpc.NewClient(d.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	client := extprocv3.NewExternalProcessorClient(conn)
	headers := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{RequestHeaders: &extprocv3.HttpHeaders{
		Headers: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: ":path", RawValue: []byte("/")}}},
	}}}
	body := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{RequestBody: &extprocv3.HttpBody{Body: []byte(chat(code)), EndOfStream: true}}}
	response := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: headers.GetRequestHeaders()}}
	trailers := &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseTrailers{ResponseTrailers: &extprocv3.HttpTrailers{}}}
	empty := &extprocv3.ProcessingRequest{}
	scripts := map[string][]*extprocv3.ProcessingRequest{
		"response before headers": {response, headers, body}, "body first": {body, headers}, "empty": {empty}, "trailers": {trailers},
		"headers twice": {headers, headers}, "response for body": {headers, response}, "empty for body": {headers, empty}, "trailers for body": {headers, trailers},
		"nothing": {}, "half-closed after headers": {headers}, "body twice": {headers, body, body}, "response after body": {headers, body, response, trailers},
	}
	roles := []string{envoy.RoleOuter, envoy.RoleInner, envoy.RoleObserve, "", "another"}
	d.survives(func() {
		ended := make(map[codes.Code]int)
		// Each is repeated, so that one goroutine left of one of them shows.
		for i := range 30 * len(roles) {
			for name, script := range scripts {
				role := roles[i%len(roles)]
				ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), envoy.RoleKey, role), time.Minute)
				stream, err := client.Process(ctx)
				require.NoError(t, err)
				for _, m := range script {
					if stream.Send(m) != nil {
						break // the server has ended it
					}
				}
				_ = stream.CloseSend()
				for err == nil {
					_, err = stream.Recv()
				}
				if errors.Is(err, io.EOF) {
					err = nil
				}
				require.Contains(t, []codes.Code{codes.OK, codes.InvalidArgument}, status.Code(err), "%s: %v", name, err)
				ended[status.Code(err)]++
				cancel()
			}
		}
		ctx, abandon := context.WithCancel(metadata.AppendToOutgoingContext(t.Context(), envoy.RoleKey, envoy.RoleOuter))
		for range 1000 {
			stream, err := client.Process(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.Send(headers))
		}
		d.requireGood()
		abandon()
		r.saw("streams ended %v, no panic; good requests served beside 1,000 streams left open", ended)
	})
	require.Zero(t, d.metric("semlb_panics_total"))
}
