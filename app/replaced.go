package app

import (
	"slices"
	"time"

	"semlb/config"
	"semlb/envoy/parts"
	"semlb/server"
)

// How long what a reload replaced is kept: as long as a plan of it can live, within
// these.
const (
	// shortestRetention also covers what Envoy reports late.
	shortestRetention = time.Minute
	// longestRetention bounds timeouts of days.
	longestRetention = time.Hour
)

// retention is how long a request may need the targets it was planned with: until
// every attempt has run into every timeout.
func retention(b *config.Balancer, targets int) time.Duration {
	attempt := min(b.ConnectTimeout+b.WriteTimeout+b.ReadTimeout, longestRetention)
	attempts := min(b.Retries+1, targets)
	return min(max(time.Duration(attempts)*attempt, shortestRetention), longestRetention)
}

// remains are what is left of a plugin instance that a reload changed or removed:
// enough to rewrite and route the attempts of requests that it planned.
type remains struct {
	instance  *server.Instance
	upstreams []parts.Upstream
	// until is when the last of those requests must have begun its last attempt.
	until time.Time
}

// These bound what many changes in a short time cost. An instance takes some
// kilobytes of semlb, and a cluster, which instances share if their endpoints are the
// same, about a hundred of Envoy.
const (
	maxRemains         = 1024
	maxRemainsClusters = 1024
)

// replaced are the remains by instance. An instance that a reload leaves unchanged
// has none, whatever else the reload changes.
type replaced map[string]remains

// add keeps what is left of an assembly, unless the one in force has the same.
func (r replaced) add(old, inForce *assembly, now time.Time) {
	for _, p := range old.plugins {
		r[p.instance.ID] = remains{instance: retired(p), upstreams: p.upstreams, until: now.Add(p.retention)}
	}
	for _, p := range inForce.plugins {
		delete(r, p.instance.ID)
	}
}

// retired is an instance as remains keep it: without vectors and embedder.
func retired(p *pluginParts) *server.Instance {
	left := *p.instance
	left.Router = p.router.Retired()
	return &left
}

// expire lets go of what is not needed any more, and says of how many.
func (r replaced) expire(now time.Time) int {
	before := len(r)
	for id, left := range r {
		if !left.until.After(now) {
			delete(r, id)
		}
	}
	return before - len(r)
}

// trim lets go of what is above the bounds, that which would go first anyway, and
// says of how many.
func (r replaced) trim() int {
	if len(r) <= maxRemains && r.clusters() <= maxRemainsClusters {
		return 0
	}
	ids := make([]string, 0, len(r))
	for id := range r {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return r[b].until.Compare(r[a].until) })
	clusters := make(map[parts.Upstream]bool)
	trimmed := 0
	for i, id := range ids {
		for _, u := range r[id].upstreams {
			clusters[u] = true
		}
		if i >= maxRemains || len(clusters) > maxRemainsClusters {
			delete(r, id)
			trimmed++
		}
	}
	return trimmed
}

func (r replaced) clusters() int {
	distinct := make(map[parts.Upstream]bool)
	for _, left := range r {
		for _, u := range left.upstreams {
			distinct[u] = true
		}
	}
	return len(distinct)
}
