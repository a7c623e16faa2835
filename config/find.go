package config

import (
	"cmp"
	"iter"
	"slices"
)

// Request is what is known of a request when its instance is chosen. Each part is
// a name or an id; an empty part is not known.
type Request struct {
	Service  string
	Route    string
	Consumer string
	// ConsumerGroups adds to the groups the configuration has the consumer in.
	ConsumerGroups []string
	// Names are what a proxy that does not know Kong's routes calls its own routes and
	// clusters, the narrowest first. Each may be a route's or a service's, or mean
	// nothing; see [Config.Find].
	Names []string
}

// Find returns the one instance that runs for a request, or false where none does.
// Instances never merge: the first of the scopes
//
//	consumer+route+service, group+route+service, consumer+route, consumer+service,
//	group+route, group+service, route+service, consumer, group, route, service, global
//
// that has an enabled instance gives it; of several groups the first by name. The
// service of a known route and the groups of a known consumer need not be given.
//
// Where no route is given, it is the first of the names that the configuration has as
// a route; where no service is given and the route has none, it is the first of those
// left that the configuration has as a service. The configuration has every route and
// service that an instance is bound to.
//
// It is safe for concurrent use once the configuration is complete.
func (c *Config) Find(r Request) (*Plugin, bool) {
	x := c.index
	if x == nil {
		x = newIndex(c)
	}
	for s := range x.scopes(r) {
		if i, ok := x.plugins[s]; ok {
			return &c.Plugins[i], true
		}
	}
	return nil, false
}

// Paths are those of the route of a request, as configured; none where the route is not
// known or has none. Do not change them.
//
// It is safe for concurrent use once the configuration is complete.
func (c *Config) Paths(r Request) []string {
	x := c.index
	if x == nil {
		x = newIndex(c)
	}
	route, _ := x.target(r)
	return x.paths[route]
}

// Index prepares [Config.Find], which otherwise does this on every call. Call it when the
// configuration is complete.
func (c *Config) Index() { c.index = newIndex(c) }

// index answers Find.
type index struct {
	*Names
	// bound are the routes and services that instances are bound to.
	bound map[alias]bool
	// plugins are the indexes of enabled instances by their scopes, guards the enabled
	// plugins that guard them.
	plugins map[Scope]int
	guards  map[Scope][]*GuardPlugin
	// services and paths are those of routes, groups those of consumers.
	services map[string]string
	paths    map[string][]string
	groups   map[string][]string
	// capturing are the paths of all routes that are regular expressions, capturingOf
	// those of each route, in Kong's order.
	capturing   []capturing
	capturingOf map[string][]capturing
}

func newIndex(c *Config) *index {
	x := &index{
		Names: NewNames(c), bound: map[alias]bool{}, plugins: map[Scope]int{}, guards: map[Scope][]*GuardPlugin{},
		services: map[string]string{}, paths: map[string][]string{}, groups: map[string][]string{},
		capturingOf: map[string][]capturing{},
	}
	x.indexCaptures(c.Routes)
	for _, r := range c.Routes {
		called := cmp.Or(r.Name, r.ID)
		x.services[called], x.paths[called] = x.Of(KindService, r.Service), r.Paths
	}
	for _, u := range c.Consumers {
		x.groups[u.Called()] = u.Groups
	}
	for i, p := range c.Plugins {
		s := x.Scope(p.Scope)
		x.bound[alias{KindRoute, s.Route}], x.bound[alias{KindService, s.Service}] = true, true
		if _, taken := x.plugins[s]; p.Enabled && !taken {
			x.plugins[s] = i
		}
	}
	for i := range c.Guarding {
		g := &c.Guarding[i]
		s := x.Scope(g.Scope)
		x.bound[alias{KindRoute, s.Route}], x.bound[alias{KindService, s.Service}] = true, true
		if g.Enabled {
			x.guards[s] = append(x.guards[s], g)
		}
	}
	return x
}

// has reports whether there is an entity of that name, or an instance bound to one.
func (x *index) has(kind, name string) bool {
	_, known := x.names[alias{kind, name}]
	return name != "" && (known || x.bound[alias{kind, name}])
}

// Mentions reports whether the configuration has an entity of a kind with a name, or an
// instance or a plugin that guards which is bound to one.
func (c *Config) Mentions(kind, name string) bool {
	if NewNames(c).Known(kind, name) {
		return true
	}
	part := slices.Index(ScopeParts[:], kind)
	bound := func(s Scope) bool { return name != "" && s.Parts()[part] == name }
	return slices.ContainsFunc(c.Plugins, func(p Plugin) bool { return bound(p.Scope) }) ||
		slices.ContainsFunc(c.Guarding, func(g GuardPlugin) bool { return bound(g.Scope) })
}

// target returns the route and the service of a request, by the names that stand for
// them.
func (x *index) target(r Request) (route, service string) {
	route = r.Route
	var maybe string // the service, unless the route has one
	for _, name := range r.Names {
		switch {
		case route == "" && x.has(KindRoute, name):
			route = name
		case maybe == "" && x.has(KindService, name):
			maybe = name
		}
	}
	route = x.Of(KindRoute, route)
	return route, x.Of(KindService, cmp.Or(r.Service, x.services[route], maybe))
}

// scopes yields the scopes a request is in, in the order of precedence. A part that is
// not known would make a scope a wider one, so that each is yielded only where all its
// parts are known.
func (x *index) scopes(r Request) iter.Seq[Scope] {
	known := Scope{Consumer: x.Of(KindConsumer, r.Consumer)}
	known.Route, known.Service = x.target(r)
	groups := slices.Clone(x.groups[known.Consumer])
	for _, g := range r.ConsumerGroups {
		groups = append(groups, x.Of(KindConsumerGroup, g))
	}
	slices.Sort(groups)
	return func(yield func(Scope) bool) {
		for _, parts := range precedence {
			var s Scope
			complete := pick(&s.Service, parts.service, known.Service) &&
				pick(&s.Route, parts.route, known.Route) &&
				pick(&s.Consumer, parts.consumer, known.Consumer)
			switch {
			case !complete:
			case !parts.group && !yield(s):
				return
			case parts.group && !eachGroup(s, groups, yield):
				return
			}
		}
	}
}

// eachGroup yields a scope with each of the groups.
func eachGroup(s Scope, groups []string, yield func(Scope) bool) bool {
	for _, s.ConsumerGroup = range groups {
		if !yield(s) {
			return false
		}
	}
	return true
}

// pick takes a value where its part is wanted, and reports whether a wanted one is
// there.
func pick(to *string, wanted bool, value string) bool {
	if !wanted {
		return true
	}
	*to = value
	return value != ""
}
