package e2e_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"semlb/test/ca"
	"semlb/test/harness"
)

// schemes is a provider on HTTP/2 that keeps the pseudo-header :scheme, which Go's
// own server does not show, and answers everything with a status, after it has refused
// some requests.
type schemes struct {
	url    string
	status int

	mu      sync.Mutex
	seen    []string
	refuses int
}

func newSchemes(t *testing.T, authority *ca.Authority, status int) *schemes {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{authority.Issue("127.0.0.1")}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"},
	})
	require.NoError(t, err)
	s := &schemes{url: "https://" + l.Addr().String(), status: status}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil { // closed by the cleanup
				return
			}
			stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
			open.Go(func() {
				defer stop()
				defer conn.Close()
				_ = s.serve(conn) // it ends with the connection
			})
		}
	})
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		open.Wait()
	})
	return s
}

func (s *schemes) serve(conn net.Conn) error {
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return err
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := framer.WriteSettings(); err != nil {
		return err
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return err
		}
		if head, ok := frame.(*http2.MetaHeadersFrame); ok {
			s.mu.Lock()
			s.seen = append(s.seen, head.PseudoValue("scheme"))
			s.mu.Unlock()
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok && !settings.IsAck() {
			err = framer.WriteSettingsAck()
		} else if ended(frame) {
			err = s.answer(framer, frame.Header().StreamID)
		}
		if err != nil {
			return err
		}
	}
}

// ended reports that a request has been received completely.
func ended(frame http2.Frame) bool {
	data, ok := frame.(*http2.DataFrame)
	return ok && data.StreamEnded()
}

func (s *schemes) answer(framer *http2.Framer, stream uint32) error {
	if s.refused() {
		return framer.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
	}
	var block bytes.Buffer
	if err := hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(s.status)}); err != nil {
		return err
	}
	return framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true})
}

// refuse makes the provider refuse the next n requests.
func (s *schemes) refuse(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = n
}

func (s *schemes) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses--
	return s.refuses >= 0
}

func (s *schemes) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.seen...)
}

// TestEveryAttemptHasTheSchemeOfItsTarget: the hop between the two routers is HTTP/1
// without TLS, of which nothing may be left.
func TestEveryAttemptHasTheSchemeOfItsTarget(t *testing.T) {
	t.Parallel()
	authority := ca.New(t)
	targets := []*schemes{newSchemes(t, authority, 429), newSchemes(t, authority, 429), newSchemes(t, authority, 200)}
	urls := make([]string, len(targets))
	for i, s := range targets {
		urls[i] = s.url
	}
	s := harness.Start(t, harness.Options{
		Config: harness.Config(withLanes(harness.Plugin{Failover: harness.SeedCriteria()}, lanes(urls))),
		Flags:  []string{"--trusted-ca", authority.File},
	})
	for _, p := range harness.Protocols() {
		answer := s.Post(harness.NewClient(t, p), harness.Chat("hello"))
		require.Equal(t, http.StatusOK, answer.Status, answer.Body)
	}
	for i, target := range targets {
		require.Equal(t, []string{"https", "https"}, target.all(), "attempt %d", i+1)
	}
}
