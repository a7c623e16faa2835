// Package build turns a configuration into the plugin instances that serve it, each with
// a router, rewriters of requests, an embedder and a store. It starts
// nothing but what a part needs to exist.
package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"semlb/config"
	"semlb/embeddings"
	"semlb/router"
	"semlb/server"
)

// Options configure a [Builder].
type Options struct {
	Log *slog.Logger
	// BuiltinEmbeddings replaces the embedding models of the configuration by the
	// built-in one, and MemoryStore its vector stores by one in memory.
	BuiltinEmbeddings, MemoryStore bool
	// ProviderURLs are base URLs of providers, by name. They replace a provider's
	// address where the configuration has no upstream_url.
	ProviderURLs map[string]string
	// TrustedCA is a file of the authorities that verify the certificates of embedding
	// models and of Redis; "" means the system's.
	TrustedCA string
	// BaseURL, if it is not nil, returns the base URL of each target instead.
	BaseURL func(target int, t *config.Target) (string, error)
	// Demo logs mismatches of the embedding model at debug level: the user of a
	// demonstration chose neither the model nor its width.
	Demo bool
	// DecisionBudget bounds a routing decision.
	DecisionBudget time.Duration
	// MaxRetryAfter bounds the cool-down that a target requests with Retry-After; 0
	// ignores the header.
	MaxRetryAfter time.Duration
	// Now is the clock of embedders' circuit breakers; nil is time.Now.
	Now func() time.Time
	// Circuits keeps the circuit breakers of targets; nil has none.
	Circuits *router.Circuits
	// Replica names this process among those that share the state of targets.
	Replica string
	// CountEmbeddings counts lookups of vectors, and CountDroppedEvent the events that
	// other replicas did not receive; nil counts nothing.
	CountEmbeddings   func(embeddings.Result, int)
	CountDroppedEvent func()
}

// Builder builds instances. It owns the embedders, which outlive a reload that does not
// change them. It is safe for concurrent use.
type Builder struct {
	options   Options
	embedders embedderPool
	// made are the targets of the instances that it has built.
	made madeTargets
	// loggedWidths are the mismatches of dimensions that were logged.
	loggedWidths sync.Map
}

// New makes a builder.
func New(o Options) *Builder { return &Builder{options: o} }

// Build builds every enabled instance. Its error lists every fault, and leaves nothing
// open. A panic is returned as [config.InternalError].
func (b *Builder) Build(ctx context.Context, cfg *config.Config) (*Instances, error) {
	all := &Instances{Config: cfg, byPlugin: make(map[*config.Plugin]*Instance)}
	if err := config.Guard(func() error { return b.fill(ctx, all) }); err != nil {
		return nil, errors.Join(err, all.Close())
	}
	return all, nil
}

// fill builds the enabled instances of a configuration.
func (b *Builder) fill(ctx context.Context, all *Instances) error {
	cfg := all.Config
	var faults []error
	for i := range cfg.Plugins {
		p := &cfg.Plugins[i]
		if !p.Enabled {
			continue
		}
		instance, err := b.instance(ctx, p)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.Position, err))
			continue
		}
		all.List = append(all.List, instance)
		all.byPlugin[p] = instance
	}
	return errors.Join(faults...)
}

// instance builds one plugin instance. An error leaves nothing open.
func (b *Builder) instance(ctx context.Context, p *config.Plugin) (_ *Instance, err error) {
	s := &p.Settings
	i := &Instance{Retention: retention(&s.Balancer, len(s.Targets))}
	defer func() {
		if err != nil {
			err = errors.Join(err, i.close())
		}
	}()
	targets, err := b.targets(p)
	if err != nil {
		return nil, err
	}
	i.Upstreams = targets.upstreams
	options, err := b.routerOptions(p, targets.routed)
	if err != nil {
		return nil, err
	}
	if options.Algorithm == router.Semantic {
		if err := b.addSemantic(ctx, p, i, &options); err != nil {
			return nil, err
		}
	}
	if err := b.addSharing(p, i, &options); err != nil {
		return nil, err
	}
	if i.Router, err = router.New(options); err != nil {
		return nil, err
	}
	if i.Server, err = serverInstance(p, i.Router, targets.served); err != nil {
		return nil, err
	}
	if i.shared != nil {
		i.shared.Start()
	}
	return i, nil
}

// How long a replaced instance is kept: as long as a plan of it can live, within these
// bounds.
const (
	// minRetention also covers access logs that Envoy sends late.
	minRetention = time.Minute
	// maxRetention bounds timeouts of days.
	maxRetention = time.Hour
)

// retention is how long a request may need the targets of its plan: until every
// attempt has run into every timeout.
func retention(b *config.Balancer, targets int) time.Duration {
	attempt := min(b.ConnectTimeout+b.WriteTimeout+b.ReadTimeout, maxRetention)
	attempts := min(b.Retries+1, targets)
	return min(max(time.Duration(attempts)*attempt, minRetention), maxRetention)
}

// instanceID names a plugin instance the same way in every replica, and after a
// reload that did not change it. It depends on the scope and the settings, but not on
// secrets: a request in flight uses the newest ones.
func instanceID(p *config.Plugin) string { return digest(p.Scope, p.Settings) }

// digest is a short name for values that marshal to JSON.
func digest(values ...any) string {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(values); err != nil {
		panic("build: digest: " + err.Error()) // plain structs and strings marshal
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// match is a request of the server as the configuration's scopes see it.
func match(m server.Match) config.Request {
	return config.Request{
		Route: m.Route, Service: m.Service, Names: m.Names, Consumer: m.Consumer, ConsumerGroups: m.Groups,
	}
}
