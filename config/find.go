package config

import (
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
	// Names are what somebody who does not know Kong's routes calls the place of the
	// request, the narrowest first. Each may be a route's or a service's, or mean
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
// left that the configuration has as a service. What an instance is bound to, the
// configuration has.
//
// It is safe for concurrent use.
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

// alias is something an entity of a kind is called.
type alias struct{ kind, name string }

// index answers Find.
type index struct {
	// names maps whatever an entity is called to the one name that stands for it.
	names map[alias]string
	// kinds are the kinds there are entities of.
	kinds map[string]bool
	// bound are the routes and services that instances are bound to.
	bound map[alias]bool
	// plugins maps scopes of those names to enabled instances.
	plugins  map[Scope]int
	services map[string]string
	groups   map[string][]string
}

// newIndex returns the index of a configuration.
func newIndex(c *Config) *index {
	x := &index{
		names: map[alias]string{}, kinds: map[string]bool{}, bound: map[alias]bool{}, plugins: map[Scope]int{},
		services: map[string]string{}, groups: map[string][]string{},
	}
	for _, s := range c.Services {
		x.call("service", s.Name, s.ID)
	}
	for _, r := range c.Routes {
		x.call("route", r.Name, r.ID)
	}
	for _, u := range c.Consumers {
		x.call("consumer", u.Username, u.ID, u.CustomID)
	}
	for _, g := range c.ConsumerGroups {
		x.call("consumer_group", g.Name, g.ID)
	}
	for _, r := range c.Routes {
		x.services[firstOf(r.Name, r.ID)] = x.name("service", r.Service)
	}
	for _, u := range c.Consumers {
		x.groups[firstOf(u.Username, u.ID, u.CustomID)] = u.Groups
	}
	for i, p := range c.Plugins {
		s := x.scope(p.Scope)
		x.bound[alias{"route", s.Route}], x.bound[alias{"service", s.Service}] = true, true
		if _, taken := x.plugins[s]; p.Enabled && !taken {
			x.plugins[s] = i
		}
	}
	return x
}

// call notes what an entity is called. The first that is not empty stands for it.
func (x *index) call(kind string, names ...string) {
	x.kinds[kind] = true
	for _, name := range names {
		if name != "" {
			x.names[alias{kind, name}] = firstOf(names...)
		}
	}
}

// firstOf returns the first name that is not empty.
func firstOf(names ...string) string {
	for _, name := range names {
		if name != "" {
			return name
		}
	}
	return ""
}

// name returns the name that stands for an entity; unknown ones stand for
// themselves.
func (x *index) name(kind, name string) string {
	if known, ok := x.names[alias{kind, name}]; ok {
		return known
	}
	return name
}

// has reports whether there is an entity of that name, or an instance bound to one.
func (x *index) has(kind, name string) bool {
	_, known := x.names[alias{kind, name}]
	return name != "" && (known || x.bound[alias{kind, name}])
}

// place is the route and the service of a request, by the names that stand for them.
func (x *index) place(r Request) (route, service string) {
	route = r.Route
	var maybe string // the service, unless the route has one
	for _, name := range r.Names {
		switch {
		case route == "" && x.has("route", name):
			route = name
		case maybe == "" && x.has("service", name):
			maybe = name
		}
	}
	route = x.name("route", route)
	return route, x.name("service", firstOf(r.Service, x.services[route], maybe))
}

// scope returns a scope with the names that stand for its entities.
func (x *index) scope(s Scope) Scope {
	return Scope{
		Service:       x.name("service", s.Service),
		Route:         x.name("route", s.Route),
		Consumer:      x.name("consumer", s.Consumer),
		ConsumerGroup: x.name("consumer_group", s.ConsumerGroup),
	}
}

// scopes yields the scopes a request is in, in the order of precedence. Those with
// an unknown part come out as wider ones, which is why each is yielded only where
// all its parts are known.
func (x *index) scopes(r Request) iter.Seq[Scope] {
	known := Scope{Consumer: x.name("consumer", r.Consumer)}
	known.Route, known.Service = x.place(r)
	groups := slices.Clone(x.groups[known.Consumer])
	for _, g := range r.ConsumerGroups {
		groups = append(groups, x.name("consumer_group", g))
	}
	slices.Sort(groups)
	return func(yield func(Scope) bool) {
		for _, parts := range precedence() {
			candidates := []string{""}
			if parts.ConsumerGroup != "" {
				candidates = groups
			}
			for _, g := range candidates {
				s := Scope{ConsumerGroup: g}
				complete := pick(&s.Service, parts.Service, known.Service) &&
					pick(&s.Route, parts.Route, known.Route) &&
					pick(&s.Consumer, parts.Consumer, known.Consumer)
				if complete && !yield(s) {
					return
				}
			}
		}
	}
}

// pick takes a value where its part is wanted, and reports whether what is wanted
// is there.
func pick(to *string, wanted, value string) bool {
	if wanted == "" {
		return true
	}
	*to = value
	return value != ""
}

// precedence lists which parts a scope has, the one that goes first coming first.
func precedence() []Scope {
	const x = "x"
	return []Scope{
		{Consumer: x, Route: x, Service: x},
		{ConsumerGroup: x, Route: x, Service: x},
		{Consumer: x, Route: x},
		{Consumer: x, Service: x},
		{ConsumerGroup: x, Route: x},
		{ConsumerGroup: x, Service: x},
		{Route: x, Service: x},
		{Consumer: x},
		{ConsumerGroup: x},
		{Route: x},
		{Service: x},
		{},
	}
}
