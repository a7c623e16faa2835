package config

import "cmp"

// alias is something that an entity of a kind is called.
type alias struct{ kind, name string }

// Names maps whatever entities are called, by their ids too, to the one name that stands
// for each.
type Names struct {
	names map[alias]string
}

// NewNames returns the names of a configuration's entities.
func NewNames(c *Config) *Names {
	n := &Names{names: map[alias]string{}}
	for _, s := range c.Services {
		n.add(KindService, s.Name, s.ID)
	}
	for _, r := range c.Routes {
		n.add(KindRoute, r.Name, r.ID)
	}
	for _, u := range c.Consumers {
		n.add(KindConsumer, u.Username, u.ID, u.CustomID)
	}
	for _, g := range c.ConsumerGroups {
		n.add(KindConsumerGroup, g.Name, g.ID)
	}
	return n
}

// add notes what an entity is called. The first name that is not empty stands for it.
func (n *Names) add(kind string, names ...string) {
	for _, name := range names {
		if name != "" {
			n.names[alias{kind, name}] = cmp.Or(names...)
		}
	}
}

// Of returns the name that stands for an entity. An unknown one stands for itself.
func (n *Names) Of(kind, name string) string {
	if known, ok := n.names[alias{kind, name}]; ok {
		return known
	}
	return name
}

// Known reports whether the configuration has an entity of a kind with that name.
func (n *Names) Known(kind, name string) bool {
	_, known := n.names[alias{kind, name}]
	return known
}

// Any reports whether the configuration has an entity of a kind.
func (n *Names) Any(kind string) bool {
	for of := range n.names {
		if of.kind == kind {
			return true
		}
	}
	return false
}

// Scope returns a scope with the names that stand for its entities.
func (n *Names) Scope(s Scope) Scope {
	return Scope{
		Service:       n.Of(KindService, s.Service),
		Route:         n.Of(KindRoute, s.Route),
		Consumer:      n.Of(KindConsumer, s.Consumer),
		ConsumerGroup: n.Of(KindConsumerGroup, s.ConsumerGroup),
	}
}
