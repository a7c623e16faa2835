package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// status is the body of GET /status.
type status struct {
	Ready bool `json:"ready"`
	// Envoys are the versions of the Envoys that are connected over xDS.
	Envoys        []string            `json:"envoys"`
	GRPC          connections         `json:"grpc"`
	Configuration configurationStatus `json:"configuration"`
}

type configurationStatus struct {
	// LastReload is the time of the last change, or try of one; absent before the first.
	LastReload *time.Time `json:"last_reload,omitempty"`
	// Refused is why the last change is not in force, or not with every Envoy.
	Refused string `json:"refused,omitempty"`
	// Unreached are the instances that no request reaches, with the reason.
	Unreached []string `json:"unreached,omitempty"`
}

func (r *readiness) status() status {
	s := status{Envoys: r.options.Control.Envoys(), GRPC: r.options.Reach.status()}
	s.Configuration.Unreached = r.options.Unreached()
	if err := r.refusal(); err != nil {
		s.Configuration.Refused = err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Ready = r.ready
	if !r.changedAt.IsZero() {
		at := r.changedAt.UTC()
		s.Configuration.LastReload = &at
	}
	return s
}

// statusHandler serves metrics, health checks for Kubernetes, and the status.
func statusHandler(gatherer prometheus.Gatherer, r *readiness) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !r.isReady() {
			why := ""
			if err := r.options.Reach.unreachable(); err != nil {
				why = ": " + err.Error()
			}
			http.Error(w, "not ready"+why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready"+r.options.Reach.note())
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r.status()) // an error means that the client is gone
	})
	return mux
}

// httpService is an HTTP server on an open listener.
type httpService struct {
	listener net.Listener
	handler  http.Handler
}

const (
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute
	idleTimeout   = 2 * time.Minute
	// shutdownTimeout bounds how long open requests hold up the end.
	shutdownTimeout = 2 * time.Second
)

// serve serves until ctx ends.
func (h *httpService) serve(ctx context.Context) error {
	s := &http.Server{Handler: h.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(h.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := s.Shutdown(stop)
	if err != nil {
		err = s.Close()
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", served)
	}
	return err
}
