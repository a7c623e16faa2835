package router

// pick completes a plan: it orders the targets and leaves out those whose circuit
// breakers are open, and those that are cooling down unless no other is left. The plan
// holds as many targets as attempts are allowed. w was last read when its order began.
func (r *Router) pick(p Plan, q Request, order algorithm, w stopwatch) Plan {
	for {
		// Every target that may be left out makes room for one more.
		unhealthy := r.circuits.unhealthy()
		n := r.maxAttempts + unhealthy
		ids := order.order(nil, q, n)
		if unhealthy == 0 || r.allHealthy(ids) {
			p.Targets = ids[:min(len(ids), r.maxAttempts)]
			break
		}
		p.Targets, p.Probes = r.available(ids)
		if len(p.Targets) > 0 {
			break
		}
		if len(ids) < n {
			p.Reason, p.Unavailable = AllOut, ids
			break
		}
		// More circuit breakers have opened since they were counted.
	}
	p.Stages.Order = w.lap()
	return p
}

func (r *Router) allHealthy(ids []string) bool {
	for _, id := range ids {
		if !r.circuit[id].healthy() {
			return false
		}
	}
	return true
}

// available are those of ids that may be tried, and the probes among them.
func (r *Router) available(ids []string) ([]string, []Probe) {
	now := r.circuits.clock()
	targets, probes := r.acquire(ids, now, func(c *circuit) bool { return !c.coolingDown(now) })
	if len(targets) == 0 {
		return r.acquire(ids, now, func(*circuit) bool { return true })
	}
	return targets, probes
}

// acquire takes the targets that may be tried into a plan, and the probes of those
// whose circuit breakers are open. Only the first target is certain to be tried, so
// only the first one's probe keeps other plans from probing.
func (r *Router) acquire(ids []string, now int64, eligible func(*circuit) bool) ([]string, []Probe) {
	var targets []string
	var probes []Probe
	for _, id := range ids {
		if len(targets) == r.maxAttempts {
			break
		}
		c := r.circuit[id]
		if !eligible(c) {
			continue
		}
		acquire := (*circuit).acquireFallbackProbe
		if len(targets) == 0 {
			acquire = (*circuit).acquireProbe
		}
		token, ok := acquire(c, &r.rule, now)
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
