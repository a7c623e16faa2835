package access

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"semlb/config"
)

// Gate knows the consumers of a configuration, and the plugins that guard. It is safe for
// concurrent use.
type Gate struct {
	config *config.Config
	// names are those by which consumers are known, whatever a listener calls them.
	names *config.Names
	// guards are the plugins by their entries.
	guards map[*config.GuardPlugin]guard
	// optional identifies clients where no plugin authenticates them.
	optional optional
	// groups are those of the plugin acl, by consumer.
	groups map[string][]string
	// consumerGroups are the others.
	consumerGroups map[string][]string
	// now is the wall clock, by which tokens expire.
	now func() time.Time
}

// guard checks a request, and notes in the visit what it finds out. A nil refusal lets it
// pass.
type guard interface {
	check(*Request, *visit) *Refusal
}

// visit is what is known of a request so far.
type visit struct {
	Verdict
	// credential is set where the consumer has authenticated, and is not the anonymous one.
	credential bool
	gate       *Gate
	// parameters are those of the query, once a check has wanted them.
	parameters url.Values
}

// New returns the gate of a configuration that was loaded.
func New(c *config.Config) *Gate {
	known := newCredentials(c.Consumers)
	g := &Gate{
		config: c, names: config.NewNames(c), guards: make(map[*config.GuardPlugin]guard), optional: newOptional(known),
		groups: make(map[string][]string), consumerGroups: make(map[string][]string), now: time.Now,
	}
	for _, consumer := range c.Consumers {
		name := consumer.Called()
		g.consumerGroups[name] = consumer.Groups
		for _, acl := range consumer.ACLs {
			g.groups[name] = append(g.groups[name], acl.Group)
		}
	}
	for i := range c.Guarding {
		entry := &c.Guarding[i]
		if made := newGuard(entry.Settings, known, g.names); made != nil && entry.Enabled {
			g.guards[entry] = made
		}
	}
	return g
}

// WithClock sets another clock than time.Now, before the gate is used.
func (g *Gate) WithClock(now func() time.Time) *Gate {
	g.now = now
	return g
}

// newGuard makes the check of a plugin's settings.
func newGuard(settings any, known *credentials, names *config.Names) guard {
	anonymous := func(name string) string { return names.Of(config.KindConsumer, name) }
	switch s := settings.(type) {
	case *config.KeyAuth:
		return authentication{newKeyAuth(s, known).find, anonymous(s.Anonymous), s.RunOnPreflight}
	case *config.BasicAuth:
		return authentication{newBasicAuth(s, known).find, anonymous(s.Anonymous), true}
	case *config.JWT:
		return authentication{newTokens(s, known).find, anonymous(s.Anonymous), s.RunOnPreflight}
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

// Check returns who the client is, and what the plugins say of a request. A nil Gate lets
// everything pass.
func (g *Gate) Check(r *Request) Verdict {
	v := &visit{Verdict: Verdict{Consumer: r.Consumer, Groups: r.Groups}, gate: g}
	if g == nil {
		return v.Verdict
	}
	v.Consumer = g.names.Of(config.KindConsumer, r.Consumer)
	if v.Refusal = v.identify(r); v.Refusal == nil {
		v.Refusal = v.guard(r)
	}
	return v.Verdict
}

// identify runs the plugin cors, and finds out who the client is: by the plugins that
// authenticate, else by what the listener names, else by a credential.
func (v *visit) identify(r *Request) *Refusal {
	authenticated := false
	for _, entry := range v.gate.config.Guards(r.scope("", nil)) { // which are bound to no consumer
		made := v.gate.guards[entry]
		if !early(made) {
			continue
		}
		if entry.Authenticates() && !authenticated { // what the listener names does not count
			authenticated, v.Consumer, v.Groups = true, "", nil
		}
		if refusal := made.check(r, v); refusal != nil {
			return refusal
		}
	}
	switch {
	case authenticated:
		return nil
	case v.Consumer != "" || v.Groups != nil:
		v.credential = v.Consumer != ""
		return nil
	default:
		return v.gate.optional.check(r, v)
	}
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

// guard runs the plugins that need to know who the client is.
func (v *visit) guard(r *Request) *Refusal {
	for _, entry := range v.gate.config.Guards(r.scope(v.Consumer, v.Groups)) {
		made := v.gate.guards[entry]
		if made == nil || early(made) {
			continue
		}
		if refusal := made.check(r, v); refusal != nil {
			return refusal
		}
	}
	return nil
}

// query returns the parameters of a request. As in Kong, only '&' ends one. What is malformed
// is no credential.
func (v *visit) query(r *Request) url.Values {
	if v.parameters == nil {
		v.parameters, _ = url.ParseQuery(strings.ReplaceAll(r.Query, ";", "%3B"))
	}
	return v.parameters
}

// spend adds the names of headers and parameters that held a credential.
func (v *visit) spend(names ...string) {
	for _, name := range names {
		if !slices.Contains(v.Spent, name) {
			v.Spent = append(v.Spent, name)
		}
	}
}
