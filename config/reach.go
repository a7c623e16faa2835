package config

import "cmp"

// Reach knows which scopes requests can have: by the routes, the consumers and the groups
// of a configuration.
type Reach struct {
	*Names
	// service is that of a route, and routed has the services with a route.
	service map[string]string
	routed  map[string]bool
	// disabled are the services without effect.
	disabled map[string]bool
	// identified are the consumers with a credential, and those of anonymous requests.
	identified map[string]bool
	// members has the groups with a consumer, and joined those with an identified one.
	members, joined map[string]bool
}

// NewReach returns what requests can have in a configuration.
func NewReach(c *Config) *Reach {
	r := &Reach{
		Names: NewNames(c), service: map[string]string{}, routed: map[string]bool{},
		disabled: map[string]bool{}, identified: map[string]bool{}, members: map[string]bool{}, joined: map[string]bool{},
	}
	for _, s := range c.Services {
		r.disabled[cmp.Or(s.Name, s.ID)] = !s.Enabled
	}
	for i := range c.Routes {
		route := &c.Routes[i]
		service := r.Of(KindService, route.Service)
		r.service[cmp.Or(route.Name, route.ID)], r.routed[service] = service, true
	}
	for i := range c.Guarding {
		if g := &c.Guarding[i]; g.Enabled && g.Anonymous() != "" {
			r.identified[r.Of(KindConsumer, g.Anonymous())] = true
		}
	}
	for i := range c.Consumers {
		r.consumer(&c.Consumers[i])
	}
	return r
}

func (r *Reach) consumer(u *Consumer) {
	name := u.Called()
	r.identified[name] = r.identified[name] || len(u.KeyAuth)+len(u.BasicAuth)+len(u.JWTSecrets) > 0
	for _, g := range u.Groups {
		r.members[g] = true
		r.joined[g] = r.joined[g] || r.identified[name]
	}
}

// Defined reports whether there is an entity of a kind with a name: one of the files, or a
// service that a route of the files names.
func (r *Reach) Defined(kind, name string) bool {
	return r.Known(kind, name) || kind == KindService && r.routed[name]
}

// Unreached returns the part of a scope because of which no request has it, and why;
// "" where requests can have it. A proxy with routes and consumers of its own may still
// lead to it by their names.
func (r *Reach) Unreached(s Scope) (kind, why string) {
	s = r.Scope(s)
	for i, name := range s.Parts() {
		if kind := ScopeParts[i]; name != "" && !r.Defined(kind, name) {
			return kind, "is not defined in the files"
		}
	}
	switch service := cmp.Or(s.Service, r.service[s.Route]); {
	case service != "" && r.disabled[service]:
		return KindService, "is disabled"
	case s.Service != "" && !r.routed[s.Service]:
		return KindService, "has no route"
	case s.Service != "" && s.Route != "" && r.service[s.Route] != s.Service:
		return KindRoute, "is not one of its service"
	case s.Consumer != "" && !r.identified[s.Consumer]:
		return KindConsumer, "has no credential"
	case s.ConsumerGroup != "" && !r.members[s.ConsumerGroup]:
		return KindConsumerGroup, "has no consumer"
	case s.ConsumerGroup != "" && !r.joined[s.ConsumerGroup]:
		return KindConsumerGroup, "has no consumer with a credential"
	default:
		return "", ""
	}
}

// Unreached returns the enabled instances that no request has the scope of, with the reason
// for people. They are those that [Reach.Unreached] is about.
func (c *Config) Unreached() []string {
	r := NewReach(c)
	var all []string
	for i := range c.Plugins {
		p := &c.Plugins[i]
		if kind, why := r.Unreached(p.Scope); p.Enabled && kind != "" {
			all = append(all, p.Position.String()+": no request reaches it: its "+Spoken(kind)+" "+why)
		}
	}
	return all
}
