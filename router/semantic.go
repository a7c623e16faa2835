package router

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"semlb/record"
	"semlb/vectordb"
)

// Embedder turns texts into unit vectors, one for each; nil for a text without any
// token that the model knows.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Index finds the descriptions nearest to a vector.
type Index interface {
	Search(ctx context.Context, vector []float32, k int) ([]vectordb.Match, error)
}

// SemanticOptions is what the semantic algorithm needs beside targets.
type SemanticOptions struct {
	Embedder Embedder
	Index    Index
	// Threshold is the largest distance that counts as a match; nil for no limit.
	Threshold *float64
	// DistanceScale multiplies the distances that Index returns; 0 means 1.
	DistanceScale float64
	// RejectNoMatch answers a prompt that matches nothing with an empty plan
	// (balancer.no_match: reject) instead of the nearest group.
	RejectNoMatch bool
	// GroupOrder orders the targets of a group (balancer.group_order): ByWeight, which
	// is also the default, or Weighted.
	GroupOrder Algorithm
	// Spill selects where a plan continues after its group; "" means SpillNone.
	Spill Spill
	// Budget bounds the time of a decision; 0 means one second.
	Budget time.Duration
}

// Spill is a value of balancer.spill: where a plan continues after its group.
type Spill string

// The values of balancer.spill.
const (
	SpillNone     Spill = "none"
	SpillCatchall Spill = "catchall"
	SpillNearest  Spill = "nearest"
)

// semantic chooses the group whose description is nearest to a prompt. The order
// within the group is that of the group's algorithm.
type semantic struct {
	SemanticOptions
	groups
	stored        int               // descriptions in the index
	byID          map[string]*group // by RecordID
	byDescription map[string]*group
}

func newSemantic(g groups, o SemanticOptions, stored int) (*semantic, error) {
	if o.Embedder == nil || o.Index == nil {
		return nil, errors.New("make router: semantic needs an embedder and an index")
	}
	o.DistanceScale = cmp.Or(o.DistanceScale, 1)
	o.Budget = cmp.Or(o.Budget, defaultBudget)
	s := &semantic{SemanticOptions: o, groups: g, stored: stored, byID: make(map[string]*group), byDescription: make(map[string]*group)}
	for _, described := range g.described {
		s.byID[RecordID(described.description)] = described
		s.byDescription[described.description] = described
	}
	return s, nil
}

// choose measures the distances of a prompt and returns a plan without targets, whose
// Reason is set, and the order that the targets are to have. With NoMatch there is no
// order.
func (s *semantic) choose(ctx context.Context, prompt string, w *stopwatch) (Plan, algorithm, error) {
	p := Plan{Threshold: s.Threshold}
	if err := s.measure(ctx, prompt, &p, w); err != nil {
		return p, nil, err
	}
	nearest, measured := p.Nearest()
	switch {
	case measured && s.within(nearest.Distance):
		p.Reason = Matched
		return p, s.spill(p.Candidates), nil
	case s.catchall != nil:
		p.Reason = CaughtAll
		return p, s.catchall.algorithm, nil
	case s.RejectNoMatch:
		p.Reason = NoMatch
		return p, nil, nil
	case measured:
		p.Reason = BeyondThreshold
		return p, s.spill(p.Candidates), nil
	default:
		p.Reason = BeyondThreshold
		return p, s.fallback.algorithm, nil
	}
}

// measure fills in the plan's Candidates: none for a prompt without any token that the
// model knows.
func (s *semantic) measure(ctx context.Context, prompt string, p *Plan, w *stopwatch) error {
	if len(s.described) == 0 {
		return nil // every target is a CATCHALL
	}
	limited := newBudget(ctx, s.Budget)
	defer limited.release()
	vectors, err := s.Embedder.Embed(limited, []string{prompt})
	p.Stages.Embed = w.lap()
	if err != nil {
		return fmt.Errorf("embed prompt: %w", err)
	}
	if vectors[0] == nil {
		return nil
	}
	matches, err := s.Index.Search(limited, vectors[0], s.stored)
	p.Stages.Search = w.lap()
	if err != nil {
		return fmt.Errorf("search descriptions: %w", err)
	}
	p.Candidates, err = s.candidates(matches)
	return err
}

var errNoDescription = errors.New("the store holds no description of this configuration")

func (s *semantic) candidates(matches []vectordb.Match) ([]record.Candidate, error) {
	near := make([]record.Candidate, 0, len(matches))
	for _, m := range matches {
		// The others are of another pool, or of an earlier configuration in a shared store.
		if g := s.byID[m.ID]; g != nil {
			near = append(near, record.Candidate{Description: g.description, Distance: m.Distance * s.DistanceScale})
		}
	}
	if len(near) == 0 {
		return nil, errNoDescription
	}
	return near, nil
}

// thresholdSlack absorbs the noise of 32-bit arithmetic: the distance of a vector to
// itself was measured at up to 2.4e-7.
const thresholdSlack = 1e-6

func (s *semantic) within(distance float64) bool {
	return s.Threshold == nil || distance <= *s.Threshold+thresholdSlack
}

// spill is the order of the nearest group, and of those where the plan continues.
func (s *semantic) spill(near []record.Candidate) algorithm {
	first := s.byDescription[near[0].Description].algorithm
	switch {
	case s.Spill == SpillCatchall && s.catchall != nil:
		return chain{first, s.catchall.algorithm}
	case s.Spill == SpillNearest:
		all := chain{first}
		for _, c := range near[1:] {
			if s.within(c.Distance) {
				all = append(all, s.byDescription[c.Description].algorithm)
			}
		}
		return all
	default:
		return first
	}
}
