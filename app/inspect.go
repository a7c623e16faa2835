package app

import (
	"context"

	"semlb/app/build"
	"semlb/app/explain"
	"semlb/config"
	"semlb/envoy/parts"
)

// EnvoyParts returns the parts of an Envoy without a control plane. services are where
// replicas serve gRPC; at least one. It builds the instances, but starts nothing.
func EnvoyParts(ctx context.Context, o Options, services []parts.Endpoint) (parts.Parts, error) {
	envoyOptions, err := o.gateway()
	if err != nil {
		return parts.Parts{}, err
	}
	instances, err := o.buildInstances(ctx)
	if err != nil {
		return parts.Parts{}, err
	}
	defer func() { _ = instances.Close() }() // nothing was started
	c, err := instances.EnvoyConfig(envoyOptions)
	if err != nil {
		return parts.Parts{}, err
	}
	c.Service, c.Replicas = services[0], services[1:]
	return parts.New(c), nil
}

// Explain returns where a request would go, and why. It builds the instances, but starts
// nothing.
func Explain(ctx context.Context, o Options, q explain.Question) (*explain.Explanation, error) {
	instances, err := o.buildInstances(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = instances.Close() }() // nothing was started
	return explain.Prompt(ctx, instances, q)
}

// CheckTargets returns the faults of a configuration that show only when its targets are
// made.
func CheckTargets(cfg *config.Config) error { return build.CheckTargets(cfg) }

// buildInstances loads the configuration and builds its instances, which the caller
// closes.
func (o *Options) buildInstances(ctx context.Context) (*build.Instances, error) {
	cfg, err := o.load()
	if err != nil {
		return nil, err
	}
	return build.New(o.build()).Build(ctx, cfg)
}
