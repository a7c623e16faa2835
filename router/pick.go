package router

// pick turns an order into a plan: without the targets that are out, without those
// that asked to be left alone unless no other is left, and cut to the attempts that
// are allowed. It takes over ids.
func (r *Router) pick(p Plan, ids []string) Plan {
	if r.allWell(ids) {
		p.Targets = ids[:min(len(ids), r.opts.MaxAttempts)]
		return p
	}
	now := r.opts.Health.clock()
	p.Targets, p.Probes = r.enter(ids, now, func(c *condition) bool { return !c.held(now) })
	if len(p.Targets) == 0 {
		p.Targets, p.Probes = r.enter(ids, now, func(*condition) bool { return true })
	}
	if len(p.Targets) == 0 {
		p.Reason, p.Out = AllOut, ids
	}
	return p
}

func (r *Router) allWell(ids []string) bool {
	if r.conditions == nil {
		return true
	}
	for _, id := range ids {
		if !r.conditions[id].well() {
			return false
		}
	}
	return true
}

// enter takes the targets that may be tried into a plan. Only its first is certain to
// be tried, so only the first is reserved if it is to be probed.
func (r *Router) enter(ids []string, now int64, want func(*condition) bool) ([]string, []Probe) {
	var targets []string
	var probes []Probe
	for _, id := range ids {
		if len(targets) == r.opts.MaxAttempts {
			break
		}
		c := r.conditions[id]
		if !want(c) {
			continue
		}
		join := (*condition).standBy
		if len(targets) == 0 {
			join = (*condition).lead
		}
		token, ok := join(c, &r.rule, now)
		if !ok {
			continue
		}
		targets = append(targets, id)
		if token != 0 {
			probes = append(probes, Probe{Target: id, Token: token})
		}
	}
	return targets, probes
}

// Report learns from an outcome of a target of this router; others are ignored.
func (r *Router) Report(o Outcome) {
	if c := r.conditions[o.Target]; c != nil {
		c.report(&r.rule, o)
	}
}

// Unreached gives back the probe of a target that its request did not come to, so
// that the next plan can make it.
func (r *Router) Unreached(p Probe) {
	if c := r.conditions[p.Target]; c != nil {
		c.unreached(&r.rule, p.Token)
	}
}

// Apply takes over what another replica learned.
func (r *Router) Apply(e Event) {
	if c := r.conditions[e.Target]; c != nil {
		c.apply(&r.rule, e)
	}
}
