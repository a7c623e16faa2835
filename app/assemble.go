package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"semlb/config"
	"semlb/embeddings"
	"semlb/envoy"
	"semlb/envoy/parts"
	"semlb/provider"
	"semlb/router"
	"semlb/router/shared"
	"semlb/server"
)

// assembly is everything that a configuration is turned into.
type assembly struct {
	config   *config.Config
	plugins  []*pluginParts
	byPlugin map[*config.Plugin]*server.Instance
}

// pluginParts is what one plugin instance has of its own.
type pluginParts struct {
	instance *server.Instance
	// upstreams are the endpoints of its targets.
	upstreams []parts.Upstream
	// retention is how long its plans may live after it was replaced.
	retention time.Duration
	router    *router.Router
	model     string // names the embedding model; "" unless the algorithm is semantic
	store     *sized // nil unless the algorithm is semantic
	embedder  embeddings.Embedder
	// predecessors are the stores of the same model in the configuration before this
	// one.
	predecessors []*sized
	// shared carries what replicas learn of targets; nil if they do not share it.
	shared *shared.Redis
	close  []func() error
}

// builder turns configured plugins into parts.
type builder struct {
	options LoadOptions
	// baseURL takes the place of a target's own scheme, host and port; "" for none.
	baseURL func(target int, t *config.Target) (string, error)
	log     *slog.Logger
	// circuits keeps the circuit breakers of targets; nil has none.
	circuits *router.Circuits
	// replica names this process to the others it shares that with.
	replica string
	// told are the widths of embedding models that were logged.
	told sync.Map
	// shared holds the embedders, which outlive a reload that does not change them.
	shared pool
	// embedded is told of vectors that were asked for, and unshared of each event that
	// other replicas were not told of; nil tells nobody.
	embedded func(embeddings.Result, int)
	unshared func()
}

// assemble builds the parts of every enabled plugin. They are closed with close,
// also after an error, which lists every fault.
func (b *builder) assemble(ctx context.Context, cfg *config.Config) (*assembly, error) {
	a := &assembly{config: cfg, byPlugin: make(map[*config.Plugin]*server.Instance)}
	var faults []error
	for i := range cfg.Plugins {
		p := &cfg.Plugins[i]
		if !p.Enabled {
			continue
		}
		parts, err := b.plugin(ctx, p)
		a.plugins = append(a.plugins, parts)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.Position, err))
			continue
		}
		a.byPlugin[p] = parts.instance
	}
	return a, errors.Join(faults...)
}

// find chooses the instance of a request by the scopes' precedence.
func (a *assembly) find(m server.Match) *server.Instance {
	p, ok := a.config.Find(config.Request{
		Route: m.Route, Service: m.Service, Names: m.Names, Consumer: m.Consumer, ConsumerGroups: m.Groups,
	})
	if !ok {
		return nil
	}
	return a.byPlugin[p]
}

// consumersOnly says whether any instance serves known consumers only.
func (a *assembly) consumersOnly() bool {
	for p := range a.byPlugin {
		if p.Scope.Consumer != "" || p.Scope.ConsumerGroup != "" {
			return true
		}
	}
	return false
}

// serve adds what the attempts of all instances need to Envoy's configuration.
func (a *assembly) serve(c *parts.Config) {
	for _, p := range a.plugins {
		serveInstance(c, p.instance, p.upstreams)
	}
}

func serveInstance(c *parts.Config, i *server.Instance, upstreams []parts.Upstream) {
	c.Upstreams = append(c.Upstreams, upstreams...)
	c.IdleTimeouts = append(c.IdleTimeouts, i.Idle)
	c.BodyLimit = max(c.BodyLimit, i.BodyLimit)
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

func (b *builder) plugin(ctx context.Context, p *config.Plugin) (*pluginParts, error) {
	s := &p.Settings
	parts := &pluginParts{retention: retention(&s.Balancer, len(s.Targets))}
	targets, routed, err := b.targets(p, parts)
	if err != nil {
		return parts, err
	}
	options := router.Options{
		Algorithm:   router.Algorithm(s.Balancer.Algorithm),
		Targets:     routed,
		MaxAttempts: s.Balancer.Retries + 1,
		Semantic: router.SemanticOptions{
			RejectNoMatch: s.Balancer.NoMatch == config.NoMatchReject,
			GroupOrder:    router.Algorithm(s.Balancer.GroupOrder),
			Spill:         router.Spill(s.Balancer.Spill),
			Budget:        b.options.Budget,
		},
		Circuits: b.circuits,
		Breaker:  breakerOf(&s.Balancer, b.options.MaxRetryAfter),
	}
	if options.Algorithm == router.Semantic {
		if err := b.semantic(ctx, p, parts, &options); err != nil {
			return parts, err
		}
	}
	if err := b.share(p, parts, &options); err != nil {
		return parts, err
	}
	if parts.router, err = router.New(options); err != nil {
		return parts, err
	}
	if parts.shared != nil {
		parts.shared.Start()
	}
	parts.instance = instanceOf(p, parts.router, targets)
	return parts, nil
}

func instanceOf(p *config.Plugin, r *router.Router, targets []*server.Target) *server.Instance {
	s := &p.Settings
	instance := &server.Instance{
		ID:          instanceID(p),
		Router:      r,
		Targets:     make(map[string]*server.Target, len(targets)),
		OnPanic:     server.OnPanic(s.Balancer.OnPanic),
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
		if name := s.Targets[i].Model.Name; s.ModelPolicy == config.ModelStrict && !slices.Contains(instance.Models, name) {
			instance.Models = append(instance.Models, name)
		}
	}
	instance.Touched = provider.TouchedBy(rewriters...)
	return instance
}

// instanceID names a plugin instance the same way in every replica, and after a
// reload that did not change it: by what it is bound to and how it is configured.
// Secrets are not part of it; a request under way goes on with the newest ones.
func instanceID(p *config.Plugin) string {
	return digest(p.Scope, p.Settings)
}

// digest is a short name for a value that marshals to JSON.
func digest(values ...any) string {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(values); err != nil {
		panic("cli: digest: " + err.Error()) // plain structs and strings marshal
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
