package app

import (
	"context"

	"semlb/envoy/parts"
)

// EnvoyParts are those of a configuration, for an Envoy that has no control plane.
// services are where replicas serve gRPC; at least one.
func EnvoyParts(ctx context.Context, o *ServeOptions, services []parts.Endpoint) (parts.Parts, error) {
	cfg, err := o.load(o.Log)
	if err != nil {
		return parts.Parts{}, err
	}
	b := &builder{options: o.LoadOptions, log: o.Log, baseURL: o.providerURL}
	a, err := b.assemble(ctx, cfg)
	defer a.close()
	if err != nil {
		return parts.Parts{}, err
	}
	c, err := o.envoyConfig(a)
	if err != nil {
		return parts.Parts{}, err
	}
	c.Service, c.Replicas = services[0], services[1:]
	return parts.New(c), nil
}
