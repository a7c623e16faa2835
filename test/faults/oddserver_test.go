package faults_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"semlb/test/ca"
)

// oddAnswer answers a stream frame by frame. An error closes the connection.
type oddAnswer func(f *http2.Framer, stream uint32) error

// oddServer is a target behind TLS that speaks HTTP/2, and answers as it is told.
type oddServer struct {
	url    string
	answer atomic.Pointer[oddAnswer]
}

// startOddServer serves until the test ends.
func startOddServer(t *testing.T, authority *ca.Authority) *oddServer {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{authority.Issue("127.0.0.1")}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
	})
	require.NoError(t, err)
	s := &oddServer{url: "https://" + listener.Addr().String()}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed below
			}
			go s.serve(conn) // ends with its connection, which Envoy closes
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		<-ended
	})
	return s
}

// serve answers requests until either side closes the connection.
func (s *oddServer) serve(conn net.Conn) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	if framer.WriteSettings() != nil {
		return
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = framer.WriteSettingsAck() // an error shows at the next frame
			}
		case *http2.DataFrame:
			if f.StreamEnded() && (*s.answer.Load())(framer, f.StreamID) != nil {
				return
			}
		}
	}
}

// headed answers with a head, and ends the answer there if end.
func headed(end bool, head ...string) oddAnswer {
	return func(f *http2.Framer, stream uint32) error {
		return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block(head...), EndHeaders: true, EndStream: end})
	}
}

// block encodes names and values in turn.
func block(head ...string) []byte {
	var b bytes.Buffer
	coder := hpack.NewEncoder(&b)
	for i := 0; i < len(head); i += 2 {
		_ = coder.WriteField(hpack.HeaderField{Name: head[i], Value: head[i+1]}) // to memory
	}
	return b.Bytes()
}
