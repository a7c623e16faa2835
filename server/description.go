package server

import (
	"net/url"
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
	keySet      = "set"
)

// describe adds the description of a request to the headers that attempts get, where the
// Envoy knows the header, and so takes it off what providers get. One that is too long is
// left out.
func describe(set []envoy.Header, x *exchange, targets []*Target, credentials []provider.Header) []envoy.Header {
	if x.call.tries == 0 {
		return set
	}
	values := url.Values{keyName: x.match.Names, keyGroup: x.match.Groups}
	for key, value := range map[string]string{keyRoute: x.match.Route, keyService: x.match.Service, keyConsumer: x.match.Consumer} {
		if value != "" {
			values.Set(key, value)
		}
	}
	for _, t := range targets {
		values.Add(keyTarget, t.Identity)
		values.Add(keyPlace, strconv.Itoa(t.Place))
		values.Add(keyCluster, t.Cluster)
	}
	for _, h := range credentials {
		values.Add(keySet, h.Name)
	}
	text := values.Encode()
	if len(text) > provider.MaxOriginals {
		return set
	}
	return append(set, envoy.Header{Name: envoy.HeaderMatch, Value: text})
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
	d.set = values[keySet]
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

// mayBeMade reports whether an Envoy with these clusters may be able to make the attempt as
// it was planned: then another replica may have its target.
func (d *description) mayBeMade(number int, c envoy.Clusters) bool {
	if number > len(d.targets) || d.targets[number-1].cluster == "" {
		return true
	}
	_, reachable := c.For(d.targets[number-1].cluster)
	return reachable
}
