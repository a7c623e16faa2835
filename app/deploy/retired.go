package deploy

import (
	"slices"
	"time"

	"semlb/app/build"
	"semlb/envoy/parts"
	"semlb/server"
)

// retiredInstance is what is kept of an instance that a reload changed or removed:
// enough to rewrite and route the attempts that requests in flight may still make.
type retiredInstance struct {
	instance  *server.Instance
	upstreams []parts.Upstream
	// until is when the last of those requests must have begun its last attempt.
	until time.Time
}

// These bound the cost of many reloads in a short time. An instance takes a few
// kilobytes of semlb. A cluster, which instances with the same endpoint share, takes
// about a hundred of Envoy.
const (
	maxRetired         = 1024
	maxRetiredClusters = 1024
)

// retiredInstances are the retired instances by ID. An instance that a reload leaves
// unchanged is not retired, whatever else the reload changes.
type retiredInstances map[string]retiredInstance

// add retires the instances of old that are not in force.
func (r retiredInstances) add(old, inForce *build.Instances, now time.Time) {
	for _, i := range old.List {
		r[i.Server.ID] = retiredInstance{instance: withoutEmbedder(i), upstreams: i.Upstreams, until: now.Add(i.Retention)}
	}
	for _, i := range inForce.List {
		delete(r, i.Server.ID)
	}
}

// withoutEmbedder is an instance whose router holds neither vectors nor an embedder.
func withoutEmbedder(i *build.Instance) *server.Instance {
	retired := *i.Server
	retired.Router = i.Router.Retired()
	return &retired
}

// expire drops the instances that no request can need, and returns their number.
func (r retiredInstances) expire(now time.Time) int {
	before := len(r)
	for id, i := range r {
		if !i.until.After(now) {
			delete(r, id)
		}
	}
	return before - len(r)
}

// trim drops the instances above the bounds, those first that expire first, and
// returns their number.
func (r retiredInstances) trim() int {
	if len(r) <= maxRetired && r.clusters() <= maxRetiredClusters {
		return 0
	}
	ids := make([]string, 0, len(r))
	for id := range r {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return r[b].until.Compare(r[a].until) })
	clusters := make(map[parts.Upstream]bool)
	trimmed := 0
	for n, id := range ids {
		for _, u := range r[id].upstreams {
			clusters[u] = true
		}
		if n >= maxRetired || len(clusters) > maxRetiredClusters {
			delete(r, id)
			trimmed++
		}
	}
	return trimmed
}

func (r retiredInstances) clusters() int {
	distinct := make(map[parts.Upstream]bool)
	for _, i := range r {
		for _, u := range i.upstreams {
			distinct[u] = true
		}
	}
	return len(distinct)
}
