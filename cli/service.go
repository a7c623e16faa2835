package cli

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
	"github.com/spf13/cobra"

	"semlb/config"
	"semlb/envoy"
	"semlb/server"
)

// serveOptions are the flags of the commands that serve.
type serveOptions struct {
	loadOptions
	admin      adminOptions
	listen     string
	status     string
	grpcSocket string
	socketMode fs.FileMode
	grpcListen string
	secretsDir string
	hop        string
	hopSocket  string
	drain      time.Duration
	// maxBodyMemory bounds the bodies that are decided about at once, in MiB.
	maxBodyMemory int64
	// seen is what the files were like when they were loaded, or just before.
	seen [sha256.Size]byte
}

func (o *serveOptions) bind(c *cobra.Command) {
	o.loadOptions.bind(c)
	o.admin.bind(c)
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8000", "`ADDRESS` where Envoy takes clients' requests")
	f.StringVar(&o.status, "status", "127.0.0.1:8100", "`ADDRESS` of metrics and health")
	f.Int64Var(&o.maxBodyMemory, "max-body-memory", 256, "most `MIB` of request bodies to decide about at once; requests beyond that are answered 503")
	f.StringVar(&o.hop, "hop", hopInternal, "how Envoy reaches its inner listener: internal, or uds where none can be added")
	f.StringVar(&o.grpcListen, "grpc-listen", "", "also serve gRPC on this TCP `ADDRESS`, such as 127.0.0.1:8081")
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
func startService(ctx context.Context, o *serveOptions, b *builder, cfg *config.Config, env Environment) (*service, error) {
	s := &service{log: b.log, supervisor: supervise(ctx)}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.envoyRestarts = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "semlb_envoy_restarts_total", Help: "Times the child Envoy ended by itself and was started again.",
	})
	registry.MustRegister(s.envoyRestarts)
	metrics := server.NewMetrics(registry)
	// Envoys keep their control plane while the process is ready to end.
	streams, endStreams := context.WithCancel(context.WithoutCancel(ctx))
	s.onStop(endStreams)
	s.control = server.NewControlPlane(streams, b.log, metrics, s.discretion.redact)
	s.ready.envoys, s.ready.refused = s.control.Envoys, s.control.Refusal
	b.health, b.replica = s.health(registry), rand.Text()
	b.countEmbeddings(registry)
	b.unshared = unsharedCounter(registry).Inc
	s.live = (&live{
		builder: b, options: o, env: env, log: b.log,
		control: s.control, discretion: &s.discretion, metrics: metrics, loader: newLoader(o.storeSync, b.log, registry, metrics.CountPanic),
	}).init()
	s.onStop(s.live.close)
	if err := s.live.apply(ctx, cfg); err != nil {
		return s, err
	}
	listeners, err := o.grpcListeners(b.log)
	if err != nil {
		return s, err
	}
	status, err := listen("status", o.status)
	if err != nil {
		return s, errors.Join(err, closeAll(listeners))
	}
	s.grpc = server.New(
		server.NewProcessor(s.live.snapshot.Load, o.maxBodyMemory<<20, b.log, metrics), s.control,
		server.NewLearner(s.live.snapshot.Load, b.log, metrics),
	)
	s.onStop(s.supervisor.start(serveHTTP(status, statusHandler(registry, &s.ready))))
	s.onStop(s.supervisor.start(func(ctx context.Context) error { return s.grpc.Serve(ctx, grace, listeners...) }))
	// Streams of the control plane have no end of their own, and would hold up that of
	// the server.
	s.onStop(endStreams)
	s.onStop(s.supervisor.start(s.live.sweep))
	if err := s.serveAdmin(o, registry); err != nil {
		return s, err
	}
	if len(o.files) > 0 && o.admin.state == "" {
		r := &reloader{options: o, env: env, live: s.live, results: reloadCounter(registry), outcome: s.ready.changed}
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
func (o *serveOptions) envoyConfig(a *assembly, env Environment) (envoy.Config, error) {
	host, port, err := hostPort("listen", o.listen)
	if err != nil {
		return envoy.Config{}, err
	}
	c := envoy.Config{
		ListenHost: host, ListenPort: port,
		Service:        envoy.Endpoint{Path: o.grpcSocket},
		Routes:         routesOf(a.config),
		TrustedCA:      o.trust(env),
		DecisionBudget: o.budget,
		HopSocket:      o.hopPath(),
	}
	a.serve(&c)
	if c.Credentials, err = credentialsOf(a.config, o.secretsDir); err != nil {
		return c, err
	}
	for _, u := range c.Upstreams {
		if u.Scheme == "https" && !u.SkipVerify && c.TrustedCA == "" {
			return c, errors.New("no file of certificate authorities found to verify providers with: install your distribution's ca-certificates, or give --trusted-ca FILE")
		}
	}
	return c, nil
}

// grpcListeners opens where Envoys connect: the Unix socket, and TCP if asked to.
func (o *serveOptions) grpcListeners(log *slog.Logger) ([]net.Listener, error) {
	var listeners []net.Listener
	if o.grpcSocket != "" {
		// A socket that an earlier process left behind would be in the way.
		if info, err := os.Stat(o.grpcSocket); err == nil && info.Mode().Type() == fs.ModeSocket {
			if conn, err := net.Dial("unix", o.grpcSocket); err == nil {
				conn.Close()
				return nil, fmt.Errorf("%s is served by another program: end it, or choose another socket with --grpc-socket", o.grpcSocket)
			}
			os.Remove(o.grpcSocket)
		}
		l, err := net.Listen("unix", o.grpcSocket)
		if err != nil {
			return nil, fmt.Errorf("--grpc-socket: %w", err)
		}
		if err := os.Chmod(o.grpcSocket, o.socketMode); err != nil {
			return nil, errors.Join(fmt.Errorf("--grpc-socket-mode: %w", err), l.Close())
		}
		listeners = append(listeners, l)
	}
	if o.grpcListen != "" {
		l, err := listen("grpc-listen", o.grpcListen)
		if err != nil {
			return nil, errors.Join(err, closeAll(listeners))
		}
		if !isLoopback(l.Addr()) {
			log.Warn("gRPC is reachable from other machines, without TLS: whoever reaches it can read the keys of the targets", "address", o.grpcListen)
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
