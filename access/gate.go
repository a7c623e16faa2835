package access

import (
	"slices"

	"semlb/config"
)

// Gate is the plugins of a configuration that guard. It is safe for concurrent use.
type Gate struct {
	config *config.Config
	// guards are the plugins by their entries.
	guards map[*config.GuardPlugin]guard
	// groups are those of the plugin acl, by consumer.
	groups map[string][]string
	// consumerGroups are the others.
	consumerGroups map[string][]string
}

// guard checks a request, and notes in the visit what it finds out. A nil refusal lets it
// pass.
type guard interface {
	check(*Request, *visit) *Refusal
}

// visit is what is known of a request so far.
type visit struct {
	verdict Verdict
	// consumer is who the client is; empty is unknown.
	consumer string
	// credential is set where the consumer has authenticated, and is not the anonymous one.
	credential bool
	gate       *Gate
}

// New returns the gate of a configuration that was loaded.
func New(c *config.Config) *Gate {
	g := &Gate{
		config: c, guards: make(map[*config.GuardPlugin]guard),
		groups: make(map[string][]string), consumerGroups: make(map[string][]string),
	}
	names := config.NewNames(c)
	for _, consumer := range c.Consumers {
		name := consumer.Called()
		g.consumerGroups[name] = consumer.Groups
		for _, acl := range consumer.ACLs {
			g.groups[name] = append(g.groups[name], acl.Group)
		}
	}
	for i := range c.Guarding {
		entry := &c.Guarding[i]
		if made := newGuard(entry.Settings, c.Consumers, names); made != nil && entry.Enabled {
			g.guards[entry] = made
		}
	}
	return g
}

// newGuard makes the check of a plugin's settings.
func newGuard(settings any, consumers []config.Consumer, names *config.Names) guard {
	anonymous := func(name string) string { return names.Of(config.KindConsumer, name) }
	switch s := settings.(type) {
	case *config.KeyAuth:
		return newKeyAuth(s, consumers, anonymous(s.Anonymous))
	case *config.BasicAuth:
		return newBasicAuth(s, consumers, anonymous(s.Anonymous))
	case *config.JWT:
		return newTokens(s, consumers, anonymous(s.Anonymous))
	case *config.ACL:
		return acl{s}
	case *config.IPRestriction:
		return newAddresses(s)
	case *config.RequestSizeLimiting:
		return size{s}
	case *config.RequestTermination:
		return termination{s}
	case *config.CORS:
		return newCORS(s)
	default:
		return nil
	}
}

// Check returns what the plugins say of a request. A nil Gate lets everything pass.
func (g *Gate) Check(r *Request) Verdict {
	v := &visit{gate: g}
	if g == nil || len(g.guards) == 0 {
		return v.verdict
	}
	// Plugins that authenticate are bound to no consumer.
	anyone := r.scope()
	anyone.Consumer, anyone.ConsumerGroups = "", nil
	if guards := g.config.Guards(anyone); v.identify(r, guards) {
		if v.verdict.Checked { // a plugin's consumer replaces the listener's
			r.Consumer, r.Groups = v.consumer, nil
		}
		v.check(r, g.config.Guards(r.scope()))
	}
	return v.verdict
}

// identify runs the plugins that come before the client is known: cors, and those that
// authenticate. It reports whether the request may go on.
func (v *visit) identify(r *Request, guards []*config.GuardPlugin) bool {
	for _, entry := range guards {
		made := v.gate.guards[entry]
		if !early(made) {
			continue
		}
		_, authenticates := made.(authentication)
		v.verdict.Checked = v.verdict.Checked || authenticates
		if v.verdict.Refusal = made.check(r, v); v.verdict.Refusal != nil {
			return false
		}
	}
	v.verdict.Consumer = v.consumer
	if !v.verdict.Checked {
		v.consumer, v.credential = r.Consumer, r.Consumer != ""
	}
	return true
}

// early reports whether a plugin runs before the client is known. It is bound to no
// consumer.
func early(g guard) bool {
	switch g.(type) {
	case cors, authentication:
		return true
	default:
		return false
	}
}

// check runs the other plugins.
func (v *visit) check(r *Request, guards []*config.GuardPlugin) {
	for _, entry := range guards {
		made := v.gate.guards[entry]
		if made == nil || early(made) {
			continue
		}
		if v.verdict.Refusal = made.check(r, v); v.verdict.Refusal != nil {
			return
		}
	}
}

// spend adds the names of headers and parameters that held a credential.
func (v *visit) spend(names ...string) {
	for _, name := range names {
		if !slices.Contains(v.verdict.Spent, name) {
			v.verdict.Spent = append(v.verdict.Spent, name)
		}
	}
}
