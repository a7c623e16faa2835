package router

import "slices"

// pool is the targets that can serve the same requests: those of one RouteType.
type pool struct {
	groups
	// algorithm orders all targets; nil if the pool is semantic.
	algorithm algorithm
	// semantic chooses among groups; nil otherwise.
	semantic *semantic
}

// newPools makes the pools of a router, by RouteType.
func newPools(o Options) (map[string]*pool, error) {
	stored := len(descriptions(o.Targets))
	pools := make(map[string]*pool)
	for _, t := range o.Targets {
		if pools[t.RouteType] != nil {
			continue
		}
		others := func(other Target) bool { return other.RouteType != t.RouteType }
		made, err := newPool(o, slices.DeleteFunc(slices.Clone(o.Targets), others), stored)
		if err != nil {
			return nil, err
		}
		pools[t.RouteType] = made
	}
	return pools, nil
}

// newPool makes a pool of targets. The index of a semantic one has stored descriptions,
// those of other pools included.
func newPool(o Options, targets []Target, stored int) (*pool, error) {
	g, err := newGroups(targets, o.Semantic.GroupOrder)
	if err != nil {
		return nil, err
	}
	p := &pool{groups: g}
	if o.Algorithm == Semantic {
		p.semantic, err = newSemantic(g, o.Semantic, stored)
	} else {
		p.algorithm, err = newAlgorithm(o.Algorithm, balance{targets: targets})
	}
	return p, err
}

// descriptions are those of targets, each once, in the order of the configuration and
// without CATCHALL.
func descriptions(targets []Target) []string {
	var all []string
	for _, t := range targets {
		if t.Description != Catchall && !slices.Contains(all, t.Description) {
			all = append(all, t.Description)
		}
	}
	return all
}

// learn processes an outcome, if it is of one of the pool's targets.
func (p *pool) learn(o Outcome) {
	g := p.ofTarget[o.Target]
	switch {
	case g == nil:
	case p.semantic != nil:
		g.algorithm.learn(o)
	default:
		p.algorithm.learn(o)
	}
}

// retired is the pool without its embedder and index, and without the groups that these
// would find: the default group serves, and nothing is learned.
func (p *pool) retired() *pool {
	return &pool{groups: groups{fallback: p.fallback}, algorithm: p.fallback.algorithm}
}
