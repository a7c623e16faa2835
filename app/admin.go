package app

import (
	"context"
	"errors"
	"fmt"

	"semlb/admin"
	"semlb/app/build"
	"semlb/app/deploy"
	"semlb/config"
	"semlb/server"
)

// newAdminService opens the Admin API; nil if it is off.
func newAdminService(o *Options, api *admin.API, c *core, r *readiness) (*httpService, error) {
	if o.Admin.Listen == AdminOff {
		return nil, nil
	}
	if err := c.registry.Register(api.Collector()); err != nil {
		return nil, fmt.Errorf("register metrics of the Admin API: %w", err)
	}
	l, err := listen("admin", o.Admin.Listen)
	if err != nil {
		return nil, err
	}
	if !isLoopback(l.Addr()) {
		o.Log.Warn("the Admin API is reachable from other machines, with the token and without TLS", "address", o.Admin.Listen)
	}
	return &httpService{l, api.Handler(&adminBackend{c.manager, r})}, nil
}

// adminBackend is the configuration in force as the Admin API uses it.
type adminBackend struct {
	manager *deploy.Manager
	ready   *readiness
}

// Apply puts a change of the Admin API in force.
func (b *adminBackend) Apply(ctx context.Context, cfg *config.Config) error {
	err := b.manager.Apply(ctx, cfg)
	b.ready.changed(err)
	return withoutQuotes(err)
}

// Check returns the faults of a configuration's targets.
func (b *adminBackend) Check(cfg *config.Config) error { return build.CheckTargets(cfg) }

// Refused returns why the last change is not in force; nil if it is.
func (b *adminBackend) Refused() error { return withoutQuotes(b.ready.refusal()) }

// withoutQuotes replaces a refusal by Envoy, which may quote the configuration. Only
// the log and the status page show that: a client of the Admin API may not be the one
// who wrote what is quoted.
func withoutQuotes(err error) error {
	if refused := (*server.RefusedError)(nil); errors.As(err, &refused) {
		return admin.ErrRefused
	}
	return err
}
