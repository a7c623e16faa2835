// Package redistest starts real Redis servers for tests, with or without the search
// module, and can kill, freeze and restart them.
//
// The programs come from the folder that scripts/get-redis.sh fills. If they are
// missing, the first test that needs them runs that script; if that fails, so does the
// test.
package redistest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// startLimit is how long a server may take until it answers, which is 20 ms on an idle
// machine.
const startLimit = 20 * time.Second

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
	// RootCAs is the authority of a server with TLS.
	RootCAs *x509.CertPool

	tb      testing.TB
	program string
	args    []string
	secure  *tls.Config

	command *exec.Cmd
	output  *bytes.Buffer
	// exited is closed when the process has ended.
	exited chan struct{}
}

// Start returns a server with the search module.
func Start(tb testing.TB) *Server {
	tb.Helper()
	return StartWith(tb, Options{})
}

// StartWith returns a server that is ready to answer.
func StartWith(tb testing.TB, options Options) *Server {
	tb.Helper()
	s := &Server{Host: "127.0.0.1", tb: tb}
	program := "redis-stack-server"
	if options.Plain {
		program = "redis-server"
	}
	s.program = filepath.Join(folder(tb), program)
	s.args = append([]string{"--bind", s.Host, "--save", "", "--dir", tb.TempDir()}, options.Args...)
	if options.TLS {
		s.args = append(s.args, s.certify()...)
	}
	tb.Cleanup(s.Kill)
	var err error
	for range 3 { // Something else may take the port before the server does.
		if s.Port, err = freePort(s.Host, options.Port); err != nil {
			continue
		}
		s.Addr = net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
		if err = s.start(); err == nil {
			return s
		}
	}
	tb.Fatalf("start redis: %v", err)
	return nil
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
	plain, secure := strconv.Itoa(s.Port), "0"
	if s.secure != nil {
		plain, secure = secure, plain
	}
	s.output = new(bytes.Buffer)
	s.command = exec.Command(s.program, append([]string{"--port", plain, "--tls-port", secure}, s.args...)...)
	s.command.Stdout, s.command.Stderr = s.output, s.output
	s.command.SysProcAttr = endWithParent()
	if err := s.command.Start(); err != nil {
		return err
	}
	s.exited = make(chan struct{})
	go func(c *exec.Cmd, exited chan<- struct{}) {
		_ = c.Wait() // its error is that it was killed
		close(exited)
	}(s.command, s.exited)
	return s.await()
}

// await waits until the server answers.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("process ended: %s", s.output)
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("no answer after %v: %w: %s", startLimit, err, s.output)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ping waits for any answer, such as the error that a password is missing.
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

// Kill ends the server at once, as a crash would, and returns when the process has
// ended. It does nothing to a server that is not running.
func (s *Server) Kill() {
	if s.exited == nil {
		return
	}
	// SIGKILL ends stopped processes too.
	if err := s.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.tb.Errorf("kill redis: %v", err)
	}
	<-s.exited
}

// Restart starts the server again, empty and on the same port; it first kills a running
// one. It returns when the server answers.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		s.tb.Fatalf("restart redis: %v", err)
	}
}

// Pause freezes the server: it accepts connections and answers nothing.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.tb.Helper()
	if err := s.command.Process.Signal(signal); err != nil {
		s.tb.Fatalf("send %v to redis: %v", signal, err)
	}
}
