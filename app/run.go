package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"semlb/app/child"
	"semlb/config"
	"semlb/envoy/parts"
)

// RunOptions say what is run on this machine.
type RunOptions struct {
	ServeOptions
	// EnvoyBinary is the path of Envoy; empty finds it on the PATH.
	EnvoyBinary string
	// EnvoyConcurrency is the number of its worker threads; 0 is one per core.
	EnvoyConcurrency int
	// HopUDS has Envoy reach its inner listener through a Unix socket.
	HopUDS bool
}

// Run runs an Envoy as a child, and what serves it, until ctx ends. It calls ready
// when requests can be sent.
func Run(ctx context.Context, o *RunOptions, ready func()) error {
	log := o.Log
	binary, err := child.FindBinary(ctx, o.EnvoyBinary)
	if err != nil {
		return err
	}
	cfg, err := o.begin(log)
	if err != nil {
		return err
	}
	defer o.closeAdmin(log)
	b := &builder{options: o.LoadOptions, log: log, baseURL: o.providerURL}
	if o.Demo {
		llms := newDemonstration()
		defer stopDemo(llms, log)
		b.baseURL = llms.baseURL
	}
	dir, removeDir, err := child.MakeDir(ctx)
	if err != nil {
		return err
	}
	defer removeDir()
	o.GRPCSocket, o.SocketMode, o.SecretsDir = filepath.Join(dir, "grpc.sock"), 0o600, dir
	if o.HopUDS {
		o.HopSocket = filepath.Join(dir, "hop.sock")
		if err := CheckHopSocket(o.HopSocket); err != nil {
			return err
		}
	}
	if err := o.free(); err != nil {
		return err
	}
	s, err := startService(ctx, &o.ServeOptions, b, cfg)
	defer s.stop()
	if err != nil {
		return err
	}
	s.needsEnvoy = true
	// Envoy ends first, while the service still answers its open requests.
	defer s.supervisor.start(child.New(o.childOptions(s, binary, dir)).Run)()
	if err := o.awaitReady(s); err != nil {
		return err
	}
	s.setReady(true)
	ready()
	s.untilDone()
	log.Info("stopping")
	return s.supervisor.failure()
}

// providerURL is the flag's URL for targets without an upstream_url of their own.
func (o *LoadOptions) providerURL(_ int, t *config.Target) (string, error) {
	if t.Model.Options.UpstreamURL != "" {
		return "", nil
	}
	return o.ProviderURLs[string(t.Model.Provider)], nil
}

// childOptions are those of the Envoy that serves requests.
func (o *RunOptions) childOptions(s *service, binary, dir string) child.Options {
	return child.Options{
		Binary: binary, Dir: dir, Concurrency: o.EnvoyConcurrency,
		NodeID: "semlb-run",
		Parts:  parts.New(parts.Config{Service: parts.Endpoint{Path: o.GRPCSocket}, HopSocket: o.HopSocket}),
		Drain:  o.Drain, Grace: grace, Watcher: s, Log: s.log, Redact: s.discretion.redact,
	}
}

// free says whether Envoy will be able to listen. Envoy shares its port with other
// Envoys of the same user, so it would not notice one that is already there.
func (o *RunOptions) free() error {
	l, err := listen("listen", o.Listen)
	if err != nil {
		return err
	}
	return l.Close()
}

// startTimeout bounds the time from start to ready.
const startTimeout = 30 * time.Second

// awaitReady returns when descriptions were embedded and Envoy has taken its
// configuration and listens.
func (o *RunOptions) awaitReady(s *service) error {
	ctx, cancel := context.WithTimeout(s.supervisor.ctx, startTimeout)
	defer cancel()
	err := s.control.Wait(ctx)
	if err == nil {
		err = awaitListening(ctx, o.Listen)
	}
	if err == nil {
		select {
		case <-s.live.loading():
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	switch {
	case err == nil:
		return nil
	case s.supervisor.ctx.Err() != nil:
		return s.supervisor.failure()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no Envoy was ready within %s; --log-level debug says more", startTimeout)
	default:
		return err
	}
}

func awaitListening(ctx context.Context, address string) error {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		if !sleep(ctx, 10*time.Millisecond) {
			return ctx.Err()
		}
	}
}

func stopDemo(d *demonstration, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := d.close(ctx); err != nil {
		log.Warn("stop demo LLMs", "error", err)
	}
}
