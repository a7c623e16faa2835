// Package redistest starts real Redis servers for tests, with or without the search
// module, and can kill, freeze and restart them.
package redistest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"semlb/test/ca"
	"semlb/test/process"
	"semlb/test/tools"
)

// startLimit is how long a server may take until it answers, which is 20 ms on an idle
// machine.
const startLimit = time.Minute

// Options configure a server.
type Options struct {
	// Plain leaves out the search module.
	Plain bool
	// TLS makes the server accept only TLS, with a certificate for 127.0.0.1 and
	// localhost that its own authority has signed.
	TLS bool
	// Port is the port to listen on, or 0 for a free one. The test fails if it is in
	// use.
	Port int
	// Args are further arguments of redis-server, such as "--requirepass", "x".
	Args []string
}

// Server is a Redis on the loopback, without persistence. It ends when its test does.
type Server struct {
	// Host, Port and Addr ("host:port") survive a Restart.
	Host string
	Port int
	Addr string
	// RootCAs is the authority of a server with TLS, and CAFile its certificate in PEM.
	RootCAs *x509.CertPool
	CAFile  string

	t       testing.TB
	program string
	args    []string
	secure  *tls.Config
	process *process.Process
}

// Start returns a server with the search module.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartWith(t, Options{})
}

// StartWith returns a server that is ready to answer.
func StartWith(t testing.TB, options Options) *Server {
	t.Helper()
	s := &Server{Host: "127.0.0.1", t: t}
	program := "redis-stack-server"
	if options.Plain {
		program = "redis-server"
	}
	s.program = filepath.Join(tools.Redis(t), program)
	s.args = append([]string{"--bind", s.Host, "--save", "", "--dir", t.TempDir()}, options.Args...)
	if options.TLS {
		s.args = append(s.args, s.certify()...)
	}
	var err error
	for range 3 { // another process may take the port before the server does
		if s.Port, err = freePort(s.Host, options.Port); err != nil {
			continue
		}
		s.Addr = net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
		if err = s.start(); err == nil {
			return s
		}
	}
	require.NoError(t, err, "start redis")
	return nil
}

// certify creates an authority and a certificate that it has signed, and returns the
// server's arguments for them.
func (s *Server) certify() []string {
	s.t.Helper()
	authority := ca.New(s.t)
	cert, key := authority.IssueFiles("localhost", s.Host)
	s.RootCAs, s.CAFile = authority.Pool, authority.File
	s.secure = &tls.Config{RootCAs: s.RootCAs, MinVersion: tls.VersionTLS12}
	return []string{
		"--tls-auth-clients", "no", "--tls-ca-cert-file", authority.File, "--tls-cert-file", cert, "--tls-key-file", key,
	}
}

// freePort returns the wanted port, or any if that is 0. It fails if something listens
// on it.
func freePort(host string, wanted int) (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(wanted)))
	if err != nil {
		return 0, err
	}
	return listener.Addr().(*net.TCPAddr).Port, listener.Close()
}

// start starts the process and waits until it answers.
func (s *Server) start() error {
	s.t.Helper()
	plain, secure := strconv.Itoa(s.Port), "0"
	if s.secure != nil {
		plain, secure = secure, plain
	}
	s.process = process.StartLogged(s.t, new(process.Log), s.program, append([]string{"--port", plain, "--tls-port", secure}, s.args...)...)
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.process.Exited():
			return fmt.Errorf("process ended: %s", s.process.Log())
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("no answer after %v: %w: %s", startLimit, err, s.process.Log())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ping waits for any answer; one that asks for a password will do.
func (s *Server) ping(ctx context.Context) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

func (s *Server) dial(ctx context.Context) (net.Conn, error) {
	if s.secure != nil {
		return (&tls.Dialer{Config: s.secure}).DialContext(ctx, "tcp", s.Addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
}

// Kill ends the server at once, as a crash does, and returns when its process has
// ended. It may be called again.
func (s *Server) Kill() { s.process.Kill() }

// Restart starts the server again, on the same port and empty. It kills it first if it
// runs, and returns when the server answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	require.NoError(s.t, s.start(), "restart redis")
}

// Pause freezes the server: connections are accepted, and nothing answers.
func (s *Server) Pause() { s.process.Pause() }

// Resume ends a Pause.
func (s *Server) Resume() { s.process.Resume() }
