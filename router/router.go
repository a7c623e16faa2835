// Package router turns a prompt into a [Plan]: the targets that may answer it,
// in the order in which they are to be tried, and the reason for that order.
//
// It always answers. An embedder that is down, a store that is slow, a prompt
// that resembles nothing: each has an order of its own and a [Reason] that is
// counted and logged by the caller.
package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"semlb/vectordb"
)

// Embedder turns texts into unit vectors, one for each; nil for a text that
// means nothing to the model.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Index finds the descriptions nearest to a vector.
type Index interface {
	Search(ctx context.Context, vector []float32, k int) ([]vectordb.Match, error)
}

// Algorithm is a value of the plugin's balancer.algorithm.
type Algorithm string

// The algorithms this package has.
const (
	Semantic   Algorithm = "semantic"
	RoundRobin Algorithm = "round-robin"
	Priority   Algorithm = "priority"
)

// Catchall is the description of the targets that take what matches nothing.
// It is compared literally and never embedded.
const Catchall = "CATCHALL"

// Target is what the router knows of a target.
type Target struct {
	// ID names the target in plans. It is unique among the targets of a router.
	ID string
	// Description groups targets: equal descriptions are one group.
	Description string
	// Weight is 1 or more.
	Weight int
}

// Options is what a Router is made of.
type Options struct {
	Algorithm Algorithm
	// Targets in the order of the configuration; at least one.
	Targets []Target
	// MaxAttempts is the most targets a plan may hold (retries + 1).
	MaxAttempts int

	// Embedder and Index are needed for Semantic only.
	Embedder Embedder
	Index    Index
	// Threshold is the largest distance that counts as a match; nil for no limit.
	Threshold *float64
	// DistanceScale multiplies what Index measures; 0 means 1.
	DistanceScale float64
	// RejectNoMatch answers a prompt that matches nothing with an empty plan
	// (balancer.no_match: reject) instead of the nearest group.
	RejectNoMatch bool
	// Weighted starts a group with a smooth weighted round robin
	// (balancer.group_order: weighted) instead of its heaviest target.
	Weighted bool
	// Spill says where a plan goes on after its group.
	Spill Spill
	// Budget bounds a decision; 0 means one second.
	Budget time.Duration
	// Health is where outcomes are kept; nil learns nothing from them.
	Health *Health
	// Breaker says what outcomes mean.
	Breaker Breaker
	// Share is told what this router's targets teach, for other replicas. It must not
	// block; nil tells nobody.
	Share func(Event)
}

// Spill is a value of balancer.spill: where a plan goes on after its group.
type Spill string

// The values of balancer.spill.
const (
	SpillNone     Spill = "none"
	SpillCatchall Spill = "catchall"
	SpillNearest  Spill = "nearest"
)

// Reason says why a plan has its order. It is a label of metrics: the set is
// closed.
type Reason string

// The reasons.
const (
	// Matched: the nearest description is within the threshold.
	Matched Reason = "matched"
	// BeyondThreshold: nothing is within the threshold and there is no CATCHALL;
	// the nearest group serves all the same.
	BeyondThreshold Reason = "beyond_threshold"
	// CaughtAll: nothing is within the threshold; CATCHALL serves.
	CaughtAll Reason = "catchall"
	// NoMatch: nothing is within the threshold, and the configuration rejects that.
	NoMatch Reason = "no_match"
	// NoPrompt: the request has no text to compare; the default group serves.
	NoPrompt Reason = "no_prompt"
	// Degraded: the distance could not be had; the default group serves.
	Degraded Reason = "degraded"
	// Balanced: the algorithm does not look at the prompt.
	Balanced Reason = "balanced"
	// AllOut: every target of the plan is out because it failed.
	AllOut Reason = "all_out"
)

// Reasons lists every reason, for metrics that start at zero.
func Reasons() []Reason {
	return []Reason{Matched, BeyondThreshold, CaughtAll, NoMatch, NoPrompt, Degraded, Balanced, AllOut}
}

// Plan is an order of targets and the reason for it.
type Plan struct {
	// Targets are target IDs, first to try first, each at most once. It is empty
	// only for NoMatch and AllOut.
	Targets []string
	Reason  Reason
	// Out are the targets of AllOut.
	Out []string
	// Probes are those of Targets that were out, and are tried to see whether they are
	// back. They end with a Report of their outcome, or with Unreached.
	Probes []Probe
	// Distance is that of the nearest description, and NaN-free; it says something
	// only if Measured.
	Distance float64
	Measured bool
	// Threshold is the one the distance was held against; nil for none.
	Threshold *float64
	// Err is the cause of Degraded, nil otherwise. It holds no prompt.
	Err error
}

// LogValue makes a plan readable in logs; it leaves out what says nothing.
func (p Plan) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("reason", string(p.Reason)), slog.Any("targets", p.Targets)}
	if len(p.Out) > 0 {
		attrs = append(attrs, slog.Any("out", p.Out))
	}
	if len(p.Probes) > 0 {
		attrs = append(attrs, slog.String("probes", FormatProbes(p.Probes)))
	}
	if p.Measured {
		attrs = append(attrs, slog.Float64("distance", math.Round(p.Distance*1e4)/1e4))
	}
	if p.Threshold != nil {
		attrs = append(attrs, slog.Float64("threshold", *p.Threshold))
	}
	if p.Err != nil {
		attrs = append(attrs, slog.String("error", p.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}

// Router plans requests for one plugin instance. It is safe for concurrent use.
type Router struct {
	opts   Options
	groups groups
	cycle  cycle
	loaded atomic.Bool
	// conditions are those of the targets, by ID; nil if nothing is learned.
	conditions map[string]*condition
	rule       rule
}

// New makes a router. A semantic one answers Degraded until Load has succeeded.
func New(opts Options) (*Router, error) {
	if len(opts.Targets) == 0 {
		return nil, errors.New("make router: no targets")
	}
	if opts.MaxAttempts < 1 {
		return nil, fmt.Errorf("make router: %d attempts, want 1 or more", opts.MaxAttempts)
	}
	switch opts.Algorithm {
	case RoundRobin, Priority:
	case Semantic:
		if opts.Embedder == nil || opts.Index == nil {
			return nil, errors.New("make router: semantic needs an embedder and an index")
		}
	default:
		return nil, fmt.Errorf("make router: unknown algorithm %q", opts.Algorithm)
	}
	if opts.DistanceScale == 0 {
		opts.DistanceScale = 1
	}
	if opts.Budget == 0 {
		opts.Budget = time.Second
	}
	r := &Router{
		opts: opts, groups: group(opts.Targets), cycle: newCycle(opts.Targets),
		rule: rule{Breaker: opts.Breaker, share: opts.Share},
	}
	if opts.Health != nil {
		r.conditions = make(map[string]*condition, len(opts.Targets))
		for _, t := range opts.Targets {
			r.conditions[t.ID] = opts.Health.of(t.ID)
		}
	}
	return r, nil
}

// Route plans a request by its prompt. It answers within the budget.
func (r *Router) Route(ctx context.Context, prompt string) Plan {
	if r.opts.Algorithm != Semantic {
		return r.pick(Plan{Reason: Balanced}, r.balanced())
	}
	if prompt == "" {
		return r.pick(Plan{Reason: NoPrompt}, r.first(r.groups.fallback))
	}
	near, err := r.Nearest(ctx, prompt)
	if err != nil {
		return r.Degrade(err)
	}
	return r.plan(near)
}

// Degrade plans a request whose distances cannot be had: the default group serves.
// The cause becomes the plan's Err.
func (r *Router) Degrade(cause error) Plan {
	return r.pick(Plan{Reason: Degraded, Threshold: r.opts.Threshold, Err: cause}, r.first(r.groups.fallback))
}

// Nearest measures the distance of prompt to every description, nearest first.
// It returns none for a prompt that means nothing to the model.
func (r *Router) Nearest(ctx context.Context, prompt string) ([]Distance, error) {
	if len(r.groups.described) == 0 {
		return nil, nil // every target is a CATCHALL
	}
	if !r.loaded.Load() {
		return nil, errNotLoaded
	}
	ctx, cancel := context.WithTimeout(ctx, r.opts.Budget)
	defer cancel()
	vectors, err := r.opts.Embedder.Embed(ctx, []string{prompt})
	if err != nil {
		return nil, fmt.Errorf("embed prompt: %w", err)
	}
	if vectors[0] == nil {
		return nil, nil
	}
	matches, err := r.opts.Index.Search(ctx, vectors[0], len(r.groups.described))
	if err != nil {
		return nil, fmt.Errorf("search descriptions: %w", err)
	}
	return r.distances(matches)
}

// Distance is how far a prompt is from a description.
type Distance struct {
	Description string  `json:"description"`
	Distance    float64 `json:"distance"`
	group       *targetGroup
}

func (r *Router) distances(matches []vectordb.Match) ([]Distance, error) {
	near := make([]Distance, 0, len(matches))
	for _, m := range matches {
		// A shared store may hold descriptions of an earlier configuration.
		if g := r.groups.byID[m.ID]; g != nil {
			near = append(near, Distance{Description: g.description, Distance: m.Distance * r.opts.DistanceScale, group: g})
		}
	}
	if len(near) == 0 {
		return nil, errNoDescription
	}
	return near, nil
}

var (
	errNotLoaded     = errors.New("descriptions are not embedded yet")
	errNoDescription = errors.New("the store holds no description of this configuration")
)

// plan orders the targets of the group a prompt is nearest to.
func (r *Router) plan(near []Distance) Plan {
	p := Plan{Threshold: r.opts.Threshold}
	if len(near) > 0 {
		p.Distance, p.Measured = near[0].Distance, true
	}
	var ids []string
	switch {
	case p.Measured && r.within(p.Distance):
		p.Reason, ids = Matched, r.spill(near)
	case r.groups.catchall != nil:
		p.Reason, ids = CaughtAll, r.first(r.groups.catchall)
	case r.opts.RejectNoMatch:
		p.Reason = NoMatch
		return p
	case p.Measured:
		p.Reason, ids = BeyondThreshold, r.spill(near)
	default:
		p.Reason, ids = BeyondThreshold, r.first(r.groups.fallback)
	}
	return r.pick(p, ids)
}

// thresholdSlack absorbs the noise of 32-bit arithmetic: the distance of a vector
// to itself was measured at up to 2.4e-7.
const thresholdSlack = 1e-6

func (r *Router) within(distance float64) bool {
	return r.opts.Threshold == nil || distance <= *r.opts.Threshold+thresholdSlack
}

// first is a plan of a single group.
func (r *Router) first(g *targetGroup) []string {
	return g.order(r.opts.Weighted, nil)
}

// spill is a plan that begins with the nearest group and goes on as configured.
func (r *Router) spill(near []Distance) []string {
	ids := near[0].group.order(r.opts.Weighted, nil)
	switch r.opts.Spill {
	case SpillNearest:
		for _, d := range near[1:] {
			if r.within(d.Distance) {
				ids = d.group.order(r.opts.Weighted, ids)
			}
		}
	case SpillCatchall:
		if c := r.groups.catchall; c != nil {
			ids = c.order(r.opts.Weighted, ids)
		}
	}
	return ids
}

func (r *Router) balanced() []string {
	if r.opts.Algorithm == Priority {
		return r.groups.byPriority()
	}
	return r.cycle.order(nil)
}
