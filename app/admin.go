package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"semlb/admin"
	"semlb/config"
	"semlb/examples"
	"semlb/server"
)

// AdminOptions say where the Admin API is and what it keeps.
type AdminOptions struct {
	// Listen is its address, or [AdminOff].
	Listen string
	// Hosts are more names that clients call its server by.
	Hosts []string
	// State is the file that keeps what it changes; empty makes it read-only.
	State string
	// Token is what every request needs; empty for nothing.
	Token config.Secret
	// KonnectToken is what requests to Konnect's paths have.
	KonnectToken config.Secret
}

// AdminOff is the address that serves no Admin API.
const AdminOff = "off"

// begin reads the configuration to start with, from the state file if there is to
// be one, and opens the Admin API, which is to be closed with closeAdmin.
func (o *ServeOptions) begin(log *slog.Logger) (*config.Config, error) {
	options := admin.Options{
		Listen: o.Admin.Listen, Hosts: o.Admin.Hosts, Token: o.Admin.Token, KonnectToken: o.Admin.KonnectToken,
		State: o.Admin.State, Load: o.configOptions(), Log: log,
	}
	if options.Listen == AdminOff {
		options.Listen = "127.0.0.1:0" // the state is used, and not served
	}
	o.seen = fingerprint(&o.LoadOptions) // a change while all else is started must not be missed
	var err error
	if o.Admin.State == "" {
		options.Config, err = o.load(log)
	} else {
		options.Seed, err = o.seed()
	}
	if err != nil {
		return nil, err
	}
	if o.api, err = admin.Open(options); err != nil {
		return nil, err
	}
	return o.api.Config(), nil
}

// seed is what a new state begins with.
func (o *ServeOptions) seed() ([]config.Source, error) {
	if len(o.Files) > 0 {
		return config.ReadFiles(o.Files...)
	}
	if o.Demo {
		return []config.Source{{Name: "examples/deck/global.yaml", Data: examples.Global()}}, nil
	}
	return nil, nil
}

// closeAdmin gives the state file back.
func (o *ServeOptions) closeAdmin(log *slog.Logger) {
	if o.api == nil {
		return
	}
	if err := o.api.Close(); err != nil {
		log.Warn("close Admin API", "error", err)
	}
}

// serveAdmin serves the Admin API, if it is to be served.
func (s *service) serveAdmin(o *ServeOptions, r prometheus.Registerer) error {
	if o.Admin.State != "" {
		s.onStop(s.supervisor.start(s.surviveHangups))
	}
	if o.api == nil || o.Admin.Listen == AdminOff {
		return nil
	}
	if err := r.Register(o.api.Collector()); err != nil {
		return fmt.Errorf("register metrics of the Admin API: %w", err)
	}
	l, err := listen("admin", o.Admin.Listen)
	if err != nil {
		return err
	}
	if !isLoopback(l.Addr()) {
		s.log.Warn("the Admin API is reachable from other machines, with the token and without TLS", "address", o.Admin.Listen)
	}
	s.onStop(s.supervisor.start(serveHTTP(l, o.api.Handler(&liveConfig{s}))))
	return nil
}

// liveConfig is the configuration in force as the Admin API sees it.
type liveConfig struct{ *service }

// Apply puts a change of the Admin API in force.
func (l *liveConfig) Apply(ctx context.Context, cfg *config.Config) error {
	err := l.live.apply(ctx, cfg)
	l.ready.changed(err)
	return unquoted(err)
}

// Check says what is wrong with the targets of a configuration.
func (l *liveConfig) Check(cfg *config.Config) error { return TargetFaults(cfg) }

// Refused is why the last change is not in force; nil if it is.
func (l *liveConfig) Refused() error { return unquoted(l.ready.standing()) }

// unquoted is an error without the words of Envoy, which are for the log and the
// status page: clients of the Admin API did not write what they may quote.
func unquoted(err error) error {
	if refused := (*server.RefusedError)(nil); errors.As(err, &refused) {
		return admin.ErrRefused
	}
	return err
}

// surviveHangups keeps SIGHUP, which reads configuration files again where there
// are some, from ending a process whose configuration is a state.
func (s *service) surviveHangups(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			s.log.Warn("SIGHUP changes nothing: the state file is only read at the start")
		}
	}
}
