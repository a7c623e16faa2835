package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"semlb/config"
	"semlb/envoy"
	"semlb/provider"
	"semlb/router"
	"semlb/server"
	"semlb/vectordb"
)

// assembly is everything that a configuration is turned into.
type assembly struct {
	snapshot  *server.Snapshot
	plugins   []*pluginParts
	upstreams []envoy.Upstream
	idle      []time.Duration
	bodyLimit int64
}

// pluginParts is what one plugin instance has of its own.
type pluginParts struct {
	instance *server.Instance
	router   *router.Router
	store    vectordb.Store // nil unless the algorithm is semantic
	close    []func() error
}

// builder turns configured plugins into parts.
type builder struct {
	options loadOptions
	// baseURL takes the place of a target's own scheme, host and port; "" for none.
	baseURL func(target int, t *config.Target) string
	log     *slog.Logger
}

// assemble builds the parts of every plugin. They are closed with close, also
// after an error.
func (b *builder) assemble(ctx context.Context, cfg *config.Config) (*assembly, error) {
	a := &assembly{snapshot: &server.Snapshot{Instances: make(map[string]*server.Instance)}}
	var faults []error
	for i := range cfg.Plugins {
		p := &cfg.Plugins[i]
		if !p.Enabled {
			continue
		}
		if !p.Scope.Global() {
			faults = append(faults, fmt.Errorf("%s: a plugin bound to a service, route, consumer or consumer group is not supported yet", p.Position))
			continue
		}
		if a.snapshot.Global != nil {
			faults = append(faults, fmt.Errorf("%s: a second global ai-proxy-advanced plugin; only one can be in force", p.Position))
			continue
		}
		parts, err := b.plugin(ctx, a, p)
		if parts != nil {
			a.plugins = append(a.plugins, parts)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.Position, err))
			continue
		}
		a.snapshot.Global = parts.instance
		a.snapshot.Instances[parts.instance.ID] = parts.instance
	}
	if len(faults) == 0 && a.snapshot.Global == nil {
		faults = append(faults, errors.New("the configuration has no enabled ai-proxy-advanced plugin"))
	}
	return a, errors.Join(faults...)
}

// close ends what the parts hold.
func (a *assembly) close() error {
	var errs []error
	for _, p := range a.plugins {
		for _, c := range slices.Backward(p.close) {
			errs = append(errs, c())
		}
	}
	return errors.Join(errs...)
}

func (b *builder) plugin(ctx context.Context, a *assembly, p *config.Plugin) (*pluginParts, error) {
	s := &p.Settings
	parts := &pluginParts{}
	targets, routed, err := b.targets(a, p)
	if err != nil {
		return parts, err
	}
	options := router.Options{
		Algorithm:     router.Algorithm(s.Balancer.Algorithm),
		Targets:       routed,
		MaxAttempts:   s.Balancer.Retries + 1,
		RejectNoMatch: s.Balancer.NoMatch == config.NoMatchReject,
		Weighted:      s.Balancer.GroupOrder == config.GroupWeighted,
		Spill:         router.Spill(s.Balancer.Spill),
		Budget:        b.options.budget,
	}
	if options.Algorithm == router.Semantic {
		if err := b.semantic(ctx, p, parts, &options); err != nil {
			return parts, err
		}
	}
	if parts.router, err = router.New(options); err != nil {
		return parts, err
	}
	parts.instance = instanceOf(p, parts.router, targets)
	a.bodyLimit = max(a.bodyLimit, parts.instance.BodyLimit)
	a.idle = append(a.idle, parts.instance.Idle)
	return parts, nil
}

func instanceOf(p *config.Plugin, r *router.Router, targets []*server.Target) *server.Instance {
	s := &p.Settings
	instance := &server.Instance{
		ID:          instanceID(p),
		Router:      r,
		Targets:     make(map[string]*server.Target, len(targets)),
		BodyLimit:   s.MaxRequestBodySize,
		Idle:        s.Balancer.ReadTimeout,
		RouteType:   string(s.Targets[0].RouteType),
		Streaming:   provider.Streaming(s.ResponseStreaming),
		ModelHeader: s.ModelNameHeader,
	}
	if instance.BodyLimit == 0 { // unlimited, up to what Envoy can hold
		instance.BodyLimit = envoy.MaxBodyLimit
	}
	criteria := make([]string, len(s.Balancer.FailoverCriteria))
	for i, c := range s.Balancer.FailoverCriteria {
		criteria[i] = string(c)
	}
	instance.Policy = envoy.NewPolicy(criteria)
	rewriters := make([]*provider.Target, len(targets))
	for i, t := range targets {
		instance.Targets[t.ID()] = t
		rewriters[i] = t.Target
		if s.ModelPolicy == config.ModelStrict {
			instance.Models = append(instance.Models, s.Targets[i].Model.Name)
		}
	}
	instance.Touched = provider.TouchedBy(rewriters...)
	return instance
}

// instanceID names a plugin instance the same way in every replica: by what it is
// bound to, of which there is one.
func instanceID(p *config.Plugin) string {
	return digest(p.Scope)
}

// digest is a short name for a value that marshals to JSON.
func digest(values ...any) string {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(values); err != nil {
		panic("cli: digest: " + err.Error()) // plain structs and strings marshal
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
