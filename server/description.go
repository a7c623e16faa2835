package server

import (
	"net/url"
	"slices"
	"strconv"

	"semlb/envoy"
	"semlb/provider"
)

// description is what a later attempt says of its request, for a replica that has not the
// instance or the target of its plan: what chooses the instance there, and which targets
// are the same. It has no secret, and travels in [envoy.HeaderMatch].
type description struct {
	Match
	// targets are those of the plan, in order.
	targets []described
	// shape is the route type of the request; "" if it is unknown.
	shape string
	// set are the headers, in lower case, in which attempt 1 has put a credential.
	set []string
}

// described is a target of a plan that another replica made: [Target.Identity],
// [Target.Place] and [Target.Cluster]. The last two may be unknown, and "".
type described struct{ identity, place, cluster string }

// The keys of a description. Others are ignored, and each may be missing, so that replicas
// of different versions read each other's.
const (
	keyRoute    = "route"
	keyService  = "service"
	keyName     = "name"
	keyConsumer = "consumer"
	keyGroup    = "group"
	keyTarget   = "target"
	keyPlace    = "place"
	keyCluster  = "cluster"
	keyShape    = "shape"
	keySet      = "set"
)

// describe adds the description of a request to the headers that attempts get, where the
// Envoy knows the header, and so takes it off what providers get. One that is too long is
// left out.
func describe(set []envoy.Header, x *exchange, targets []*Target, credentials []provider.Header) []envoy.Header {
	if x.call.tries == 0 {
		return set
	}
	d := description{Match: x.match}
	for _, t := range targets {
		d.targets, d.shape = append(d.targets, describedAs(t)), t.RouteType // all have the request's
	}
	for _, h := range credentials {
		d.set = append(d.set, h.Name)
	}
	header, ok := d.header()
	if !ok {
		return set
	}
	return append(set, header)
}

func describedAs(t *Target) described {
	return described{identity: t.Identity, place: strconv.Itoa(t.Place), cluster: t.Cluster}
}

// header is the header with the description; ok is false if it would be too long.
func (d *description) header() (h envoy.Header, ok bool) {
	values := url.Values{keyName: d.Names, keyGroup: d.Groups, keySet: d.set}
	for key, value := range map[string]string{keyRoute: d.Route, keyService: d.Service, keyConsumer: d.Consumer, keyShape: d.shape} {
		if value != "" {
			values.Set(key, value)
		}
	}
	for _, t := range d.targets {
		values.Add(keyTarget, t.identity)
		values.Add(keyPlace, t.place)
		values.Add(keyCluster, t.cluster)
	}
	text := values.Encode()
	return envoy.Header{Name: envoy.HeaderMatch, Value: text}, len(text) <= provider.MaxOriginals
}

// readDescription reads what describe wrote; ok is false where there is nothing to read.
func readDescription(x *exchange) (d description, ok bool) {
	text, sent := x.lookup(envoy.HeaderMatch)
	values, err := url.ParseQuery(text)
	if !sent || err != nil {
		return d, false
	}
	d.Route, d.Service, d.Consumer = values.Get(keyRoute), values.Get(keyService), values.Get(keyConsumer)
	d.Names, d.Groups = values[keyName], values[keyGroup]
	d.set, d.shape = values[keySet], values.Get(keyShape)
	at := func(key string, i int) string {
		if all := values[key]; i < len(all) {
			return all[i]
		}
		return ""
	}
	for i, identity := range values[keyTarget] {
		d.targets = append(d.targets, described{identity, at(keyPlace, i), at(keyCluster, i)})
	}
	return d, true
}

// tried reports whether a target is that of an attempt before the one with a number.
func (d *description) tried(t *Target, number int) bool {
	before := d.targets[:min(number-1, len(d.targets))]
	return slices.ContainsFunc(before, func(p described) bool { return p.identity == t.Identity })
}

// hasUntried reports whether an instance has a target for the request that an Envoy with these
// clusters can reach, and that no attempt before the one with a number was for.
func (d *description) hasUntried(i *Instance, number int, c envoy.Clusters) bool {
	for _, t := range i.Targets {
		_, reachable := c.For(t.Cluster)
		if reachable && !d.tried(t, number) && (d.shape == "" || d.shape == t.RouteType) {
			return true
		}
	}
	return false
}

// mayBeMade reports whether an Envoy with these clusters may be able to make the attempt as
// it was planned: then another replica may have its target.
func (d *description) mayBeMade(number int, c envoy.Clusters) bool {
	if number > len(d.targets) || d.targets[number-1].cluster == "" {
		return true
	}
	_, reachable := c.For(d.targets[number-1].cluster)
	return reachable
}
