package app

import (
	"context"

	"semlb/envoy"
)

// StaticResources are those of a configuration with routes in place, for an Envoy that
// has no control plane. services are where replicas serve gRPC; at least one.
func StaticResources(ctx context.Context, o *ServeOptions, services []envoy.Endpoint) (envoy.Resources, error) {
	cfg, err := o.load(o.Log)
	if err != nil {
		return envoy.Resources{}, err
	}
	b := &builder{options: o.LoadOptions, log: o.Log, baseURL: o.providerURL}
	a, err := b.assemble(ctx, cfg)
	defer a.close()
	if err != nil {
		return envoy.Resources{}, err
	}
	c, err := o.envoyConfig(a)
	if err != nil {
		return envoy.Resources{}, err
	}
	c.Static, c.Service, c.Replicas = true, services[0], services[1:]
	return envoy.NewResources(c), nil
}
