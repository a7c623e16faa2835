package config

// Overlap returns a function that reports whether a request may be in both of two scopes.
// Routes are in the service that the configuration gives them; one that it does not know
// may be in any.
func (c *Config) Overlap() func(a, b Scope) bool {
	x := newIndex(c)
	service := func(s Scope) string {
		if s.Service == "" {
			return x.services[s.Route]
		}
		return s.Service
	}
	return func(a, b Scope) bool {
		a, b = x.Scope(a), x.Scope(b)
		a.Service, b.Service = service(a), service(b)
		return meet(a.Service, b.Service) && meet(a.Route, b.Route) && meet(a.Consumer, b.Consumer)
	}
}

// meet reports whether something can be both, where an empty name means any.
func meet(a, b string) bool { return a == "" || b == "" || a == b }
