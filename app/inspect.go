package app

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"semlb/app/build"
	"semlb/app/explain"
	"semlb/config"
	"semlb/config/load"
	"semlb/envoy/parts"
)

// Elsewhere describes an Envoy that runs elsewhere.
type Elsewhere struct {
	// Services are where replicas serve gRPC; at least one.
	Services []parts.Endpoint
	// Resolvers are the DNS servers that it queries; none means those of its machine.
	Resolvers []netip.AddrPort
}

// EnvoyParts returns the parts of an Envoy without a control plane. It builds the
// instances, but starts nothing.
func EnvoyParts(ctx context.Context, o Options, e Elsewhere) (parts.Parts, error) {
	envoyOptions, err := o.gateway()
	if err != nil {
		return parts.Parts{}, err
	}
	instances, err := o.buildWithoutKeys(ctx)
	if err != nil {
		return parts.Parts{}, err
	}
	defer func() { _ = instances.Close() }() // nothing was started
	c, err := instances.EnvoyConfig(envoyOptions)
	if err != nil {
		return parts.Parts{}, err
	}
	c.Service, c.Replicas, c.Resolvers = e.Services[0], e.Services[1:], e.Resolvers
	return parts.New(c), nil
}

// Explain returns where a request would go, and why. It builds the instances, but starts
// nothing.
func Explain(ctx context.Context, o Options, q explain.Question) (*explain.Explanation, error) {
	o.Reading.AllowUnset = true // of what is not needed
	sources, err := o.sources(ctx, new(load.Reader))
	if err != nil {
		return nil, err
	}
	cfg, err := o.parse(sources, nil)
	if err != nil {
		return nil, err
	}
	needs := build.Needs{Embeddings: !o.BuiltinEmbeddings && !o.Demo, VectorDB: !o.MemoryStore && !o.Demo}
	if err := explain.Select(cfg, q.Scope, needs); err != nil {
		return nil, o.explainUnset(sources, err)
	}
	instances, err := build.New(o.build()).Build(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = instances.Close() }() // nothing was started
	return explain.Prompt(ctx, instances, q)
}

// explainUnset replaces the faults of settings without a value by those that loading has
// in the same lines, which name the variables and Secrets.
func (o *Options) explainUnset(sources []load.Source, err error) error {
	var unset, all, named config.Faults
	if !errors.As(err, &unset) {
		return err
	}
	o.Reading.AllowUnset = false
	_, _, loadErr := load.Sources(sources, o.reading())
	_ = errors.As(loadErr, &all)
	for _, f := range all {
		at := func(u config.Fault) bool {
			return u.Position.File == f.Position.File && u.Position.Line == f.Position.Line
		}
		if slices.ContainsFunc(unset, at) {
			named = append(named, f)
		}
	}
	if named == nil {
		return unset
	}
	return named
}

// CheckTargets returns the faults of a configuration that show only when its targets are
// made.
func CheckTargets(cfg *config.Config) error { return build.CheckTargets(cfg) }

// buildWithoutKeys loads the configuration and builds its instances, which the caller
// closes. They send nothing, so that credentials may have no value.
func (o *Options) buildWithoutKeys(ctx context.Context) (*build.Instances, error) {
	sources, err := o.sources(ctx, new(load.Reader))
	if err != nil {
		return nil, err
	}
	o.Reading.AllowUnset = true
	cfg, err := o.parse(sources, nil)
	if err != nil {
		return nil, err
	}
	if err := build.WithoutKeys(cfg); err != nil {
		return nil, o.explainUnset(sources, err)
	}
	return build.New(o.build()).Build(ctx, cfg)
}
