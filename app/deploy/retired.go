package deploy

import (
	"slices"
	"time"
	"unique"

	"semlb/app/build"
	"semlb/envoy/parts"
	"semlb/server"
)

// retiredInstance is what is kept of an instance that a reload changed or removed:
// enough to rewrite and route the attempts that requests in flight may still make.
type retiredInstance struct {
	instance *server.Instance
	// handles are its upstreams, which most instances have in common.
	handles []unique.Handle[parts.Upstream]
	// until is when the last of those requests must have begun its last attempt.
	until time.Time
}

// These bound the cost of many reloads in a short time. An instance takes a few
// kilobytes of semlb, and so does a target; a target that reloads leave as it is is shared
// by all its instances. A cluster, which instances with the same endpoint share, takes about
// a hundred kilobytes of Envoy.
const (
	maxRetired         = 1024
	maxRetiredTargets  = 16384
	maxRetiredClusters = 1024
)

// retiredInstances are the retired instances by ID. An instance that a reload leaves
// unchanged is not retired, whatever else the reload changes.
type retiredInstances map[string]retiredInstance

// add retires the instances of old that are not in force.
func (r retiredInstances) add(old, inForce *build.Instances, now time.Time) {
	for _, i := range old.List {
		r[i.Server.ID] = retiredInstance{instance: withoutEmbedder(i), handles: handlesOf(i.Upstreams), until: now.Add(i.Retention)}
	}
	for _, i := range inForce.List {
		delete(r, i.Server.ID)
	}
}

func handlesOf(upstreams []parts.Upstream) []unique.Handle[parts.Upstream] {
	all := make([]unique.Handle[parts.Upstream], len(upstreams))
	for i, u := range upstreams {
		all[i] = unique.Make(u)
	}
	return all
}

// upstreams are the endpoints of the instance's targets.
func (i retiredInstance) upstreams() []parts.Upstream {
	all := make([]parts.Upstream, len(i.handles))
	for n, h := range i.handles {
		all[n] = h.Value()
	}
	return all
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
	if r.within() {
		return 0
	}
	ids := make([]string, 0, len(r))
	for id := range r {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return r[b].until.Compare(r[a].until) })
	clusters, targets := make(map[parts.Upstream]bool), make(map[*server.Target]bool)
	trimmed := 0
	for n, id := range ids {
		r[id].collect(clusters, targets)
		if n >= maxRetired || len(targets) > maxRetiredTargets || len(clusters) > maxRetiredClusters {
			delete(r, id)
			trimmed++
		}
	}
	return trimmed
}

// collect adds what an instance has.
func (i retiredInstance) collect(clusters map[parts.Upstream]bool, targets map[*server.Target]bool) {
	for _, h := range i.handles {
		clusters[h.Value()] = true
	}
	for _, t := range i.instance.Targets {
		targets[t] = true
	}
}

// distinct counts the clusters and the targets of all instances.
func (r retiredInstances) distinct() (clusters, targets int) {
	c, t := make(map[parts.Upstream]bool), make(map[*server.Target]bool)
	for _, i := range r {
		i.collect(c, t)
	}
	return len(c), len(t)
}

// within reports whether the bounds hold.
func (r retiredInstances) within() bool {
	clusters, targets := r.distinct()
	return len(r) <= maxRetired && targets <= maxRetiredTargets && clusters <= maxRetiredClusters
}
