package router

// Retired is what is left of a router that makes no more plans: it learns of the
// outcomes of r's, for r's targets, and tells no replica. It holds neither r's
// embedder nor its index; what it is asked to plan, it plans by priority.
func (r *Router) Retired() *Router {
	return &Router{
		opts:   Options{Algorithm: Priority, Targets: r.opts.Targets, MaxAttempts: r.opts.MaxAttempts, Health: r.opts.Health},
		groups: r.groups, conditions: r.conditions, rule: rule{Breaker: r.rule.Breaker},
	}
}
