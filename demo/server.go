package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// AnyPort is the address of a free port of the loopback.
const AnyPort = "127.0.0.1:0"

// Server serves a handler on its own socket.
type Server struct {
	url    string
	http   *http.Server
	cancel context.CancelFunc
	served chan error
}

// Start serves handler on addr, such as [AnyPort], over HTTP/1 and HTTP/2 without
// TLS. [Server.Close] ends it.
func Start(addr string, handler http.Handler) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for demo server: %w", err)
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		url:    "http://" + listener.Addr().String(),
		cancel: cancel,
		served: make(chan error, 1),
		http: &http.Server{
			Handler:           handler,
			Protocols:         &protocols,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       time.Minute,
			BaseContext:       func(net.Listener) context.Context { return ctx },
			ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		},
	}
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

// URL returns scheme, host and port, without a path.
func (s *Server) URL() string { return s.url }

// Close aborts the requests that hang or stream, and waits for the others until ctx
// ends. The server's goroutines and sockets are gone when it returns. It must be
// called once.
func (s *Server) Close(ctx context.Context) error {
	s.cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("shut down demo server: %w", err), s.http.Close())
	}
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve demo: %w", served))
	}
	return err
}
