// Package router turns a request into a [Plan]: the targets that may serve it, in the
// order in which they are to be tried, and the reason for that order.
//
// It always returns a plan. For an embedder that is down, a store that is slow, a prompt
// that resembles no description, there is an order and a [Reason] that the caller
// records.
package router

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Catchall is the description of the targets that serve what matches nothing. It is
// compared literally and never embedded.
const Catchall = "CATCHALL"

// Target is what the router needs of a target.
type Target struct {
	// ID identifies the target in plans. It is unique among the targets of a router.
	ID string
	// Description groups targets: equal descriptions are one group.
	Description string
	// Weight is 1 or more.
	Weight int
	// RouteType is the shape of the requests that the target takes, such as llm/v1/chat.
	RouteType string
}

// Options is what a Router is made of.
type Options struct {
	Algorithm Algorithm
	// Targets in the order of the configuration; at least one.
	Targets []Target
	// MaxAttempts is the most targets a plan may hold (retries + 1).
	MaxAttempts int

	// Semantic is needed for the algorithm of that name only.
	Semantic SemanticOptions

	// Circuits keeps the circuit breakers of targets; nil has none.
	Circuits *Circuits
	// Breaker is what outcomes mean for them.
	Breaker Breaker
	// Share publishes what outcomes taught about this router's targets to other
	// replicas. It must not block; nil publishes nothing.
	Share func(Event)
}

// Router plans requests for one plugin instance. It is safe for concurrent use.
type Router struct {
	maxAttempts int
	// pools holds the targets by the shape of the requests that they take.
	pools map[string]*pool
	// embedder embeds the descriptions of a semantic router; nil otherwise.
	embedder  Embedder
	described []string

	circuits *Circuits
	// circuit holds the circuit breakers of this router's targets by ID; nil if there
	// are none. A retired router finds those in circuits that are not in it.
	circuit map[string]*circuit
	rule    rule
	retired bool
	// loaded is set once the descriptions' vectors are in the index.
	loaded atomic.Bool
}

// New makes a router. A semantic one answers Degraded until Load has succeeded.
func New(o Options) (*Router, error) {
	if len(o.Targets) == 0 {
		return nil, errors.New("make router: no targets")
	}
	if o.MaxAttempts < 1 {
		return nil, fmt.Errorf("make router: %d attempts, want 1 or more", o.MaxAttempts)
	}
	r := &Router{maxAttempts: o.MaxAttempts, circuits: o.Circuits, rule: rule{Breaker: o.Breaker, share: o.Share}}
	var err error
	if r.pools, err = newPools(o); err != nil {
		return nil, err
	}
	if o.Algorithm == Semantic {
		r.embedder, r.described = o.Semantic.Embedder, descriptions(o.Targets)
	}
	r.circuit = o.Circuits.of(o.Targets)
	return r, nil
}

// Route plans a request. It answers within the budget of a decision. Its targets are
// those of the request's RouteType; if there are none, the reason is NoMatch.
func (r *Router) Route(ctx context.Context, q Request) Plan {
	w := startWatch()
	targets := r.pools[q.Needs.RouteType]
	switch {
	case targets == nil:
		return Plan{Reason: NoMatch}
	case targets.semantic == nil:
		return r.pick(Plan{Reason: Balanced}, q, targets.algorithm, w)
	case q.Prompt == "":
		return r.pick(Plan{Reason: NoPrompt}, q, targets.fallback.algorithm, w)
	case !r.loaded.Load() && len(targets.semantic.described) > 0:
		return r.Degrade(q, errNotLoaded)
	}
	p, order, err := targets.semantic.choose(ctx, q.Prompt, &w)
	switch {
	case err != nil:
		p.Reason, p.Err, order = Degraded, err, targets.fallback.algorithm
	case p.Reason == NoMatch:
		return p
	}
	return r.pick(p, q, order, w)
}

var errNotLoaded = errors.New("descriptions are not embedded yet")

// Degrade plans a request whose distances cannot be measured: the default group
// serves. The cause becomes the plan's Err.
func (r *Router) Degrade(q Request, cause error) Plan {
	targets := r.pools[q.Needs.RouteType]
	if targets == nil {
		return Plan{Reason: NoMatch, Err: cause}
	}
	p := Plan{Reason: Degraded, Err: cause}
	if targets.semantic != nil {
		p.Threshold = targets.semantic.Threshold
	}
	return r.pick(p, q, targets.fallback.algorithm, startWatch())
}

// Report takes in the outcome of an attempt at a target of this router, for its
// circuit breaker and for the algorithm; others are ignored.
func (r *Router) Report(o Outcome) {
	if c := r.circuitOf(o.Target); c != nil && o.Phase != Metered {
		c.report(&r.rule, o)
	}
	for _, p := range r.pools {
		p.learn(o)
	}
}

// ReleaseProbe gives back a probe that its request did not reach, so that the next
// plan can make it.
func (r *Router) ReleaseProbe(p Probe) {
	if c := r.circuitOf(p.Target); c != nil {
		c.releaseProbe(&r.rule, p.Token)
	}
}

// Apply takes in what another replica published.
func (r *Router) Apply(e Event) {
	if c := r.circuit[e.Target]; c != nil {
		c.apply(&r.rule, e)
	}
}

// circuitOf finds the circuit breaker of one of this router's targets; nil if it has none.
func (r *Router) circuitOf(target string) *circuit {
	if c := r.circuit[target]; c != nil || !r.retired {
		return c
	}
	return r.circuits.find(target)
}

// Retired returns a router that makes no more plans: it processes the outcomes of r's
// plans, and publishes nothing. It has neither r's embedder nor its index; a request
// that still reaches it gets the default group. It takes little memory: many may be kept.
func (r *Router) Retired() *Router {
	retired := &Router{
		maxAttempts: r.maxAttempts, pools: make(map[string]*pool, len(r.pools)),
		circuits: r.circuits, circuit: make(map[string]*circuit), rule: rule{Breaker: r.rule.Breaker}, retired: true,
	}
	for routeType, p := range r.pools {
		retired.pools[routeType] = p.retired()
		for id, g := range p.ofTarget {
			if c := r.circuit[id]; c != nil && g == p.fallback {
				retired.circuit[id] = c
			}
		}
	}
	return retired
}

// defaultBudget bounds a decision where the options do not.
const defaultBudget = time.Second
