package harness

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
)

// Received is one request as a stub received it.
type Received struct {
	Method string
	// URI is path and query as sent.
	URI  string
	Host string
	// Proto is HTTP/1.1 or HTTP/2.0.
	Proto string
	// Header has all headers but Host, names in canonical case.
	Header http.Header
	// ContentLength is -1 for a body of unknown length.
	ContentLength int64
	// Body is what was read of the body, and SHA256 its hash in hex. Both are empty if the
	// behaviour did not read it.
	Body   []byte
	SHA256 string
	// BodyErr is the error that cut the body short.
	BodyErr error
	// Nth counts the requests of its connection, from 1.
	Nth int64
	// At is when the headers were received.
	At time.Time
	// Gone is when the client closed the connection or stream before the answer was
	// complete; zero if it did not.
	Gone time.Time
}

// Stub is an upstream: a server on the loopback that records every request and answers
// with a [Behaviour].
type Stub struct {
	// Name is sent in the response header x-stub.
	Name string
	// URL has scheme, host and port.
	URL string
	// Authority is the host header that requests to it have.
	Authority string

	server *http.Server

	mu        sync.Mutex
	behaviour Behaviour
	received  []*Received
	forgets   bool
}

// NewStub starts a stub that speaks HTTP/1 and answers with [OK]. When the test ends, it
// closes all its connections.
func NewStub(t testing.TB, name string) *Stub {
	t.Helper()
	return NewStubAt(t, name, "127.0.0.1:0")
}

// NewStubAt is NewStub at an address.
func NewStubAt(t testing.TB, name, address string) *Stub {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	s := newStub(t, name, "http", l)
	go s.serve(func() error { return s.server.Serve(l) })
	return s
}

// NewTLSStub starts a stub with TLS that speaks HTTP/2 and HTTP/1, as ALPN selects. Its
// certificate is for names, or for its own address if there are none.
func NewTLSStub(t testing.TB, name string, authority *ca.Authority, names ...string) *Stub {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if len(names) == 0 {
		names = []string{"127.0.0.1"}
	}
	s := newStub(t, name, "https", l)
	s.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{authority.Issue(names...)}, MinVersion: tls.VersionTLS12}
	go s.serve(func() error { return s.server.ServeTLS(l, "", "") })
	return s
}

func newStub(t testing.TB, name, scheme string, l net.Listener) *Stub {
	s := &Stub{
		Name: name, Authority: l.Addr().String(), URL: scheme + "://" + l.Addr().String(),
		behaviour: OK(),
	}
	s.server = &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ReadHeaderTimeout: time.Minute,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, countKey{}, new(atomic.Int64))
		},
		// Some tests have clients that do not trust the certificate.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	t.Cleanup(func() { require.NoError(t, s.server.Close()) })
	return s
}

// countKey is the key of a connection's number of requests.
type countKey struct{}

func (s *Stub) serve(run func() error) { _ = run() } // always http.ErrServerClosed, by the cleanup

// OncePerConnection makes connections end with their first request, so that no attempt is
// made on a connection of an earlier one.
func (s *Stub) OncePerConnection() *Stub {
	s.server.SetKeepAlivesEnabled(false)
	return s
}

// Do sets the behaviour for requests from now on.
func (s *Stub) Do(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviour = b
}

// Reset discards the record and sets the behaviour to [OK].
func (s *Stub) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviour, s.received = OK(), nil
}

// Forget stops recording, for tests with more requests than fit into memory.
func (s *Stub) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgets, s.received = true, nil
}

// Requests returns the requests received so far, in the order of their arrival.
func (s *Stub) Requests() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Received, len(s.received))
	for i, r := range s.received {
		all[i] = *r
		all[i].Header = r.Header.Clone()
		all[i].Body = slices.Clone(r.Body)
	}
	return all
}

// Only returns the one request that was received. The test fails unless there is exactly
// one.
func (s *Stub) Only(t testing.TB) Received {
	t.Helper()
	all := s.Requests()
	require.Len(t, all, 1, "requests at %s", s.Name)
	return all[0]
}

// Await waits until n requests have been received.
func (s *Stub) Await(t testing.TB, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.Requests()) >= n }, awaitTimeout, 2*time.Millisecond,
		"%s: want %d requests", s.Name, n)
}

// AwaitGone waits until the client has closed the connection or stream of the last
// request.
func (s *Stub) AwaitGone(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool {
		all := s.Requests()
		return len(all) > 0 && !all[len(all)-1].Gone.IsZero()
	}, awaitTimeout, 2*time.Millisecond, "%s: the client did not close the connection or stream", s.Name)
}

const awaitTimeout = time.Minute

func (s *Stub) handle(w http.ResponseWriter, r *http.Request) {
	record := &Received{
		Method: r.Method, URI: r.RequestURI, Host: r.Host, Proto: r.Proto,
		Header: r.Header.Clone(), ContentLength: r.ContentLength, At: time.Now(),
	}
	if n, ok := r.Context().Value(countKey{}).(*atomic.Int64); ok {
		record.Nth = n.Add(1)
	}
	s.mu.Lock()
	if !s.forgets {
		s.received = append(s.received, record)
	}
	behave := s.behaviour
	s.mu.Unlock()

	gone := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if record.Gone.IsZero() {
			record.Gone = time.Now()
		}
	}
	unwatch := context.AfterFunc(r.Context(), gone)
	defer func() {
		// The handler may return before the AfterFunc has run.
		if unwatch() && r.Context().Err() != nil {
			gone()
		}
	}()
	w.Header().Set("X-Stub", s.Name)
	behave(&Exchange{Writer: w, Request: r, stub: s, record: record})
}

// Exchange is a request that a [Behaviour] answers.
type Exchange struct {
	Writer  http.ResponseWriter
	Request *http.Request

	stub   *Stub
	record *Received
}

// Stub returns the name of the stub.
func (x *Exchange) Stub() string { return x.stub.Name }

// Nth is the request's position on its connection, from 1.
func (x *Exchange) Nth() int64 { return x.record.Nth }

// Body reads the whole body, records it and returns it. Further calls return the same.
func (x *Exchange) Body() []byte {
	body, err := io.ReadAll(x.Request.Body)
	x.stub.mu.Lock()
	defer x.stub.mu.Unlock()
	if x.record.SHA256 == "" {
		sum := sha256.Sum256(body)
		x.record.Body, x.record.BodyErr, x.record.SHA256 = body, err, hex.EncodeToString(sum[:])
	}
	return x.record.Body
}
