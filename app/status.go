package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readiness is what the status port says of the process.
type readiness struct {
	mu        sync.Mutex
	ready     bool
	everReady bool
	changedAt time.Time
	// refusal is why the last change is not in force; nil if it is.
	refusal error
	// envoys are the versions of the connected Envoys, and refused is why one of them
	// does not take the configuration in force.
	envoys  func() []string
	refused func() error
}

// condition is the body of GET /status.
type condition struct {
	Ready bool `json:"ready"`
	// Envoys are the versions of the Envoys that are connected over xDS.
	Envoys        []string      `json:"envoys"`
	Configuration configuration `json:"configuration"`
}

type configuration struct {
	// LastReload is when the configuration changed last, or was to; absent if it never
	// did.
	LastReload *time.Time `json:"last_reload,omitempty"`
	// Refused says why the last change is not in force, or not with every Envoy.
	Refused string `json:"refused,omitempty"`
}

func (r *readiness) set(ready bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = ready
	r.everReady = r.everReady || ready
}

// once says whether the process was ever ready.
func (r *readiness) once() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.everReady
}

// changed notes what came of a change of the configuration.
func (r *readiness) changed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changedAt, r.refusal = time.Now(), err
}

// standing is why what is configured is not what is served; nil if it is.
func (r *readiness) standing() error {
	if err := r.refused(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusal
}

func (r *readiness) condition() condition {
	c := condition{Envoys: r.envoys()}
	if err := r.standing(); err != nil {
		c.Configuration.Refused = err.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Ready = r.ready
	if !r.changedAt.IsZero() {
		at := r.changedAt.UTC()
		c.Configuration.LastReload = &at
	}
	return c
}

// statusHandler is the status port: metrics, and health as Kubernetes asks for it.
func statusHandler(gatherer prometheus.Gatherer, r *readiness) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !r.condition().Ready {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r.condition()) // the client is gone
	})
	return mux
}

// serveHTTP serves on l until ctx ends.
func serveHTTP(l net.Listener, h http.Handler) func(context.Context) error {
	return func(ctx context.Context) error {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
		failed := make(chan error, 1)
		go func() { failed <- s.Serve(l) }()
		select {
		case err := <-failed:
			return fmt.Errorf("serve HTTP: %w", err)
		case <-ctx.Done():
		}
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
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
}
