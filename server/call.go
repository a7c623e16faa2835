package server

import (
	"cmp"
	"context"
	"strconv"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"semlb/envoy"
)

// Replicas have different configurations while a change is rolled out, and an Envoy has the
// configuration of one of them. A replica that lacks what a call is about does not take it,
// and Envoy calls another one. Only at the last try it serves as well as it can.

// call is how Envoy makes a call of the processor; see [envoy.MetadataTries] and
// [envoy.MetadataTry]. Both are 0 where they are missing.
type call struct{ try, tries int }

func callOf(ctx context.Context) call {
	number := func(key string) int {
		if values := metadata.ValueFromIncomingContext(ctx, key); len(values) == 1 {
			n, _ := strconv.Atoi(values[0]) // 0 if it is no number
			return n
		}
		return 0
	}
	return call{try: number(envoy.MetadataTry), tries: number(envoy.MetadataTries)}
}

// repeatsAbsent reports whether the Envoy that calls numbers its tries, since it may have
// several replicas, and makes attempts of [envoy.ClassAbsent] again: one of an earlier version
// says another number of tries.
func (c call) repeatsAbsent() bool { return c.try > 0 && c.tries >= envoy.Tries }

// partialTry is the try from which a replica plans a request although the Envoy that calls
// can reach only some of the targets: it may never reach the others, as when it has rejected a
// cluster.
const partialTry = 3

// repeats reports whether Envoy will call another replica if this one does not take the
// call.
func (c call) repeats() bool { return c.try > 0 && c.try < c.tries }

// errElsewhere is the end of a call that is left to another replica. Envoy repeats a call
// that ends so before its first response.
var errElsewhere = status.Error(codes.Unavailable, "this replica does not have what the call is about")

// clusters are those of the Envoy that calls.
func (x *exchange) clusters() envoy.Clusters {
	return envoy.Clusters(cmp.Or(x.attributes[envoy.AttributeKnown], x.attributes[envoy.AttributeClusters]))
}

// firstCluster is the cluster for attempt 1 at a target. An Envoy that has none for its endpoint
// sends nothing, and makes the attempt again, for which the inner role is called; one that knows
// a single replica goes on to attempt 2.
func firstCluster(x *exchange, t *Target) string {
	if cluster, ok := x.clusters().For(t.Cluster); ok {
		return cluster
	}
	return t.Cluster
}

// reach is what of an instance an Envoy with certain clusters can reach: some of its targets,
// or all.
type reach struct {
	clusters  envoy.Clusters
	some, all bool
}

// Reach keeps what Envoy can reach of an instance's targets: an Envoy has the same clusters
// for a long time, and each of its calls has the whole list.
type Reach struct{ last atomic.Pointer[reach] }

// reachFrom finds out what an Envoy with these clusters can reach.
func (i *Instance) reachFrom(c envoy.Clusters) reach {
	if i.Reach == nil {
		return i.compareClusters(c)
	}
	last := i.Reach.last.Load()
	if last == nil || last.clusters != c {
		found := i.compareClusters(c)
		last = &found
		i.Reach.last.Store(last)
	}
	return *last
}

func (i *Instance) compareClusters(c envoy.Clusters) reach {
	r := reach{clusters: c, all: true}
	for _, t := range i.Targets {
		_, ok := c.For(t.Cluster)
		r.some, r.all = r.some || ok, r.all && ok
	}
	return r
}
