package faults_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"semlb/envoy"
)

// relay is a proxy between Envoy and semlb: it forwards every call, and changes headers
// that the outer role sets.
type relay struct {
	address string
	semlb   *grpc.ClientConn
	// change is what happens to an answer that has them; it may be nil.
	change atomic.Pointer[func(*extprocv3.HeaderMutation)]
	// decisions are the calls of the outer role that are in flight.
	decisions atomic.Int64
}

// startRelay relays to a gRPC server until the test ends.
func startRelay(t *testing.T, to string) *relay {
	t.Helper()
	r := new(relay)
	var err error
	r.semlb, err = grpc.NewClient(to, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(bytesCodec{})))
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.address = l.Addr().String()
	server := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.UnknownServiceHandler(r.pass))
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-served)
		require.NoError(t, r.semlb.Close())
	})
	return r
}

// pass relays one call until either side ends it.
func (r *relay) pass(_ any, from grpc.ServerStream) error {
	ctx, cancel := context.WithCancel(from.Context())
	defer cancel()
	said, _ := metadata.FromIncomingContext(ctx)
	decides := len(said.Get(envoy.RoleKey)) == 1 && said.Get(envoy.RoleKey)[0] == envoy.RoleOuter
	if decides {
		r.decisions.Add(1)
		defer r.decisions.Add(-1)
	}
	method, _ := grpc.MethodFromServerStream(from)
	to, err := r.semlb.NewStream(metadata.NewOutgoingContext(ctx, said), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	go func() { // ends with the call: receiving does
		for {
			var m []byte
			if from.RecvMsg(&m) != nil {
				_ = to.CloseSend() // an error is the other direction's to see
				return
			}
			if to.SendMsg(&m) != nil {
				return
			}
		}
	}()
	for {
		var m []byte
		err := to.RecvMsg(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if change := r.change.Load(); decides && change != nil {
			if m, err = changed(m, *change); err != nil {
				return err
			}
		}
		if err := from.SendMsg(&m); err != nil {
			return err
		}
	}
}

// changed applies a change to an answer that replaces the request.
func changed(answer []byte, change func(*extprocv3.HeaderMutation)) ([]byte, error) {
	var r extprocv3.ProcessingResponse
	if err := proto.Unmarshal(answer, &r); err != nil {
		return nil, err
	}
	headers := r.GetRequestBody().GetResponse().GetHeaderMutation()
	if headers == nil {
		return answer, nil
	}
	change(headers)
	return proto.Marshal(&r)
}

// bytesCodec does not decode messages: each is a *[]byte.
type bytesCodec struct{}

// Name is that of the content type on the wire.
func (bytesCodec) Name() string { return "proto" }

// Marshal takes the bytes.
func (bytesCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("marshal a %T", v)
	}
	return *b, nil
}

// Unmarshal keeps a copy: grpc uses the bytes again.
func (bytesCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("unmarshal into a %T", v)
	}
	*b = append([]byte(nil), data...)
	return nil
}
