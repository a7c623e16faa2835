package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"semlb/admin"
	"semlb/config"
	"semlb/examples"
	"semlb/server"
)

// adminOptions are the flags of the Admin API.
type adminOptions struct {
	listen string
	hosts  []string
	state  string
	token  string
	// api is nil until begin has opened it.
	api *admin.API
}

// adminOff is the address that serves no Admin API.
const adminOff = "off"

func (o *adminOptions) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.listen, "admin", "127.0.0.1:8001", "`ADDRESS` of the Admin API, or off; beyond the loopback it needs --admin-token")
	f.StringArrayVar(&o.hosts, "admin-host", nil, "another `NAME` that clients call the Admin API's server by (repeatable)")
	f.StringVar(&o.state, "state", "", "`FILE` that keeps what the Admin API changes, begun with -c if it does not exist; without it the API is read-only")
	f.StringVar(&o.token, "admin-token", "", "`TOKEN` that every request to the Admin API needs; rather give SEMLB_ADMIN_TOKEN, which other processes cannot see")
}

// check finds the flags that make no sense.
func (o *serveOptions) check() error {
	o.mayBeEmpty = o.admin.state != ""
	if err := o.loadOptions.check(); err != nil {
		return err
	}
	if o.maxBodyMemory < 1 {
		return fmt.Errorf("--max-body-memory: got %d, want 1 or more MiB", o.maxBodyMemory)
	}
	if o.admin.listen == adminOff {
		return nil
	}
	_, _, err := hostPort("admin", o.admin.listen)
	return err
}

// begin reads the configuration to start with, from the state file if there is to
// be one, and opens the Admin API, which is to be closed with closeAdmin.
func (o *serveOptions) begin(env Environment, log *slog.Logger) (*config.Config, error) {
	token := o.admin.token
	if token == "" {
		token, _ = env.LookupEnv("SEMLB_ADMIN_TOKEN")
	}
	konnect, _ := env.LookupEnv("KONNECT_TOKEN")
	options := admin.Options{
		Listen: o.admin.listen, Hosts: o.admin.hosts, Token: config.NewSecret(token), KonnectToken: config.NewSecret(konnect),
		State: o.admin.state, Load: o.configOptions(env), Log: log,
	}
	if options.Listen == adminOff {
		options.Listen = "127.0.0.1:0" // the state is used, and not served
	}
	o.seen = fingerprint(&o.loadOptions) // a change while all else is started must not be missed
	var err error
	if o.admin.state == "" {
		options.Config, err = o.load(env, log)
	} else {
		options.Seed, err = o.seed()
	}
	if err != nil {
		return nil, err
	}
	if o.admin.api, err = admin.Open(options); err != nil {
		return nil, err
	}
	return o.admin.api.Config(), nil
}

// seed is what a new state begins with.
func (o *serveOptions) seed() ([]config.Source, error) {
	if len(o.files) > 0 {
		return config.ReadFiles(o.files...)
	}
	if o.demo {
		return []config.Source{{Name: "examples/deck/global.yaml", Data: examples.Global()}}, nil
	}
	return nil, nil
}

// closeAdmin gives the state file back.
func (o *serveOptions) closeAdmin(log *slog.Logger) {
	if o.admin.api == nil {
		return
	}
	if err := o.admin.api.Close(); err != nil {
		log.Warn("close Admin API", "error", err)
	}
}

// serveAdmin serves the Admin API, if it is to be served.
func (s *service) serveAdmin(o *serveOptions, r prometheus.Registerer) error {
	if o.admin.state != "" {
		s.onStop(s.supervisor.start(s.surviveHangups))
	}
	if o.admin.api == nil || o.admin.listen == adminOff {
		return nil
	}
	if err := r.Register(o.admin.api.Collector()); err != nil {
		return fmt.Errorf("register metrics of the Admin API: %w", err)
	}
	l, err := listen("admin", o.admin.listen)
	if err != nil {
		return err
	}
	if !isLoopback(l.Addr()) {
		s.log.Warn("the Admin API is reachable from other machines, with the token and without TLS", "address", o.admin.listen)
	}
	s.onStop(s.supervisor.start(serveHTTP(l, o.admin.api.Handler(&liveConfig{s}))))
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
func (l *liveConfig) Check(cfg *config.Config) error { return targetFaults(cfg) }

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
