package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"semlb/admin"
	"semlb/config"
	"semlb/envoy/parts"
	"semlb/server"
)

// ServeOptions say what is served, and where.
type ServeOptions struct {
	LoadOptions
	Admin AdminOptions
	// Listen is where Envoy takes clients' requests, and Status where metrics and health
	// are.
	Listen, Status string
	// GRPCSocket is the Unix socket that Envoys connect to, with SocketMode as its
	// permissions; empty for none. GRPCListen is a TCP address beside it.
	GRPCSocket string
	SocketMode fs.FileMode
	GRPCListen string
	// SecretsDir is for the key sets of consumers' tokens.
	SecretsDir string
	// HopSocket is the path of the inner listener's socket; empty if the listener is an
	// internal one.
	HopSocket string
	// Drain is how long to go on when asked to stop.
	Drain time.Duration
	// MaxBodyMemory bounds the bodies that are decided about at once, in MiB.
	MaxBodyMemory int64
	// Log is the program's log.
	Log *slog.Logger
	// api is nil until begin has opened it.
	api *admin.API
	// seen is what the files were like when they were loaded, or just before.
	seen [sha256.Size]byte
}

// grace is how long open streams may go on when the process is asked to stop.
const grace = 5 * time.Second

// service is everything semlb runs beside Envoy.
type service struct {
	log        *slog.Logger
	supervisor *supervisor
	control    *server.ControlPlane
	discretion discretion
	grpc       *server.Server
	live       *live
	ready      readiness
	// telling makes one change of readiness at a time, and guards envoyDown: the child
	// Envoy has ended, and is not started again yet.
	telling   sync.Mutex
	envoyDown bool
	// needsEnvoy makes readiness wait for an Envoy: the child.
	needsEnvoy bool
	// envoyRestarts counts how often a child Envoy had to be started again.
	envoyRestarts prometheus.Counter
	stops         []func()
}

// startService builds everything from a configuration and serves it. It is ended
// with stop, also after an error.
func startService(ctx context.Context, o *ServeOptions, b *builder, cfg *config.Config) (*service, error) {
	s := &service{log: b.log, supervisor: supervise(ctx)}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.envoyRestarts = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "semlb_envoy_restarts_total", Help: "Times the child Envoy ended by itself and was started again.",
	})
	registry.MustRegister(s.envoyRestarts)
	metrics := server.NewMetrics(registry)
	recorder, counters, closeRecorder := newRecorder(b.log, registry)
	s.onStop(closeRecorder)
	// Envoys keep their control plane while the process is ready to end.
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	s.onStop(endStreams)
	s.control = server.NewControlPlane(streams, b.log, metrics, s.discretion.redact)
	s.ready.envoys, s.ready.refused = s.control.Envoys, s.control.Refusal
	b.circuits, b.replica = s.circuits(registry), rand.Text()
	b.countEmbeddings(registry)
	b.unshared = unsharedCounter(registry).Inc
	s.live = (&live{
		builder: b, options: o, log: b.log,
		control: s.control, discretion: &s.discretion, counters: counters, loader: newLoader(o.StoreSync, b.log, registry, metrics.CountPanic),
	}).init()
	s.onStop(s.live.close)
	if err := s.live.apply(ctx, cfg); err != nil {
		return s, err
	}
	listeners, err := o.grpcListeners(b.log)
	if err != nil {
		return s, err
	}
	status, err := listen("status", o.Status)
	if err != nil {
		return s, errors.Join(err, closeAll(listeners))
	}
	serving := server.Options{
		Snapshot: s.live.snapshot.Load, MaxBodies: o.MaxBodyMemory << 20,
		Recorder: recorder, Metrics: metrics, Log: b.log,
	}
	s.grpc = server.New(server.NewProcessor(serving), s.control, server.NewAccessLogService(serving))
	s.onStop(s.supervisor.start(serveHTTP(status, statusHandler(registry, &s.ready))))
	s.onStop(s.supervisor.start(func(ctx context.Context) error { return s.grpc.Serve(ctx, grace, listeners...) }))
	// Streams of the control plane have no end of their own, and would hold up that of
	// the server.
	s.onStop(endStreams)
	s.onStop(s.supervisor.start(s.live.sweep))
	if err := s.serveAdmin(o, registry); err != nil {
		return s, err
	}
	if len(o.Files) > 0 && o.Admin.State == "" {
		r := &reloader{options: o, live: s.live, results: reloadCounter(registry), outcome: s.ready.changed}
		s.onStop(s.supervisor.start(r.run))
	}
	return s, nil
}

// setReady tells everyone who asks whether requests can be served, which they cannot
// while the child is down. It says what it has told them.
func (s *service) setReady(ready bool) bool {
	s.telling.Lock()
	defer s.telling.Unlock()
	ready = ready && !s.envoyDown
	s.ready.set(ready)
	s.grpc.SetReady(ready)
	return ready
}

// setEnvoyDown notes that the child has ended, or is started again. It is connected
// for a moment longer than it lives, so its connection would not do.
func (s *service) setEnvoyDown(down bool) {
	s.telling.Lock()
	s.envoyDown = down
	s.telling.Unlock()
	if down {
		s.setReady(false)
	}
}

// EnvoyEnded wants the child Envoy restarted, unless the process was never ready: it
// would end again.
func (s *service) EnvoyEnded() (restart bool) {
	if !s.wasReady() {
		return false
	}
	s.setEnvoyDown(true)
	s.envoyRestarts.Inc()
	return true
}

// EnvoyRestarting ends what EnvoyEnded began.
func (s *service) EnvoyRestarting() { s.setEnvoyDown(false) }

func (s *service) isReady() bool  { return s.ready.condition().Ready }
func (s *service) wasReady() bool { return s.ready.once() }

func (s *service) onStop(stop func()) { s.stops = append(s.stops, stop) }

// stop ends what was started, last first.
func (s *service) stop() {
	for i := len(s.stops) - 1; i >= 0; i-- {
		s.stops[i]()
	}
}

// envoyConfig is what Envoy is told about an assembly.
func (o *ServeOptions) envoyConfig(a *assembly) (parts.Config, error) {
	host, port, err := hostPort("listen", o.Listen)
	if err != nil {
		return parts.Config{}, err
	}
	c := parts.Config{
		ListenHost: host, ListenPort: port,
		Service:        parts.Endpoint{Path: o.GRPCSocket},
		Routes:         routesOf(a.config),
		TrustedCA:      o.trust(),
		DecisionBudget: o.Budget,
		HopSocket:      o.HopSocket,
	}
	a.serve(&c)
	if c.Credentials, err = credentialsOf(a.config, o.SecretsDir); err != nil {
		return c, err
	}
	for _, u := range c.Upstreams {
		if u.Scheme == "https" && c.TrustedCA == "" {
			return c, errors.New("no file of certificate authorities found to verify providers with: install your distribution's ca-certificates, or give --trusted-ca FILE")
		}
	}
	return c, nil
}

// grpcListeners opens where Envoys connect: the Unix socket, and TCP if asked to.
func (o *ServeOptions) grpcListeners(log *slog.Logger) ([]net.Listener, error) {
	var listeners []net.Listener
	if o.GRPCSocket != "" {
		// A socket that an earlier process left behind would be in the way.
		if info, err := os.Stat(o.GRPCSocket); err == nil && info.Mode().Type() == fs.ModeSocket {
			if conn, err := net.Dial("unix", o.GRPCSocket); err == nil {
				conn.Close()
				return nil, fmt.Errorf("%s is served by another program: end it, or choose another socket with --grpc-socket", o.GRPCSocket)
			}
			os.Remove(o.GRPCSocket)
		}
		l, err := net.Listen("unix", o.GRPCSocket)
		if err != nil {
			return nil, fmt.Errorf("--grpc-socket: %w", err)
		}
		if err := os.Chmod(o.GRPCSocket, o.SocketMode); err != nil {
			return nil, errors.Join(fmt.Errorf("--grpc-socket-mode: %w", err), l.Close())
		}
		listeners = append(listeners, l)
	}
	if o.GRPCListen != "" {
		l, err := listen("grpc-listen", o.GRPCListen)
		if err != nil {
			return nil, errors.Join(err, closeAll(listeners))
		}
		if !isLoopback(l.Addr()) {
			log.Warn("gRPC is reachable from other machines, without TLS: whoever reaches it can read the keys of the targets", "address", o.GRPCListen)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func isLoopback(address net.Addr) bool {
	a, ok := address.(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
