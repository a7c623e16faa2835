package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Service is a Kong service. Of what Kong says about its upstream nothing is
// needed: the plugin's targets take its place.
type Service struct {
	ID       string   `kong:"id"`
	Name     string   `kong:"name"`
	Enabled  bool     `kong:"enabled"`
	Tags     []string `kong:"tags"`
	Position Position `kong:"-"`
}

// Route is a Kong route: which requests it takes. An empty list takes any.
type Route struct {
	ID   string `kong:"id"`
	Name string `kong:"name"`
	// Service is the name, or else the id, of the route's service, or empty.
	Service string `kong:"-"`
	// Hosts may start with "*." or end with ".*", and have a port.
	Hosts []string `kong:"hosts"`
	// Paths are prefixes, or regular expressions behind a "~", as RE2 has them.
	Paths   []string `kong:"paths"`
	Methods []string `kong:"methods"`
	// Headers must each have one of their values; a value behind "~*" is a regular
	// expression.
	Headers map[string][]string `kong:"headers"`
	// StripPath takes the matching prefix off the path.
	StripPath bool `kong:"strip_path"`
	// RegexPriority orders routes whose paths are regular expressions, highest first.
	RegexPriority int `kong:"regex_priority"`
	// Protocols are http, https or both.
	Protocols []string `kong:"protocols"`
	// RedirectStatus is what plain HTTP is answered where Protocols has only https: 426,
	// or the status of a redirect.
	RedirectStatus int      `kong:"https_redirect_status_code"`
	PreserveHost   bool     `kong:"preserve_host"`
	Tags           []string `kong:"tags"`
	Position       Position `kong:"-"`
}

// Consumer is someone who sends requests.
type Consumer struct {
	ID       string   `kong:"id"`
	Username string   `kong:"username"`
	CustomID string   `kong:"custom_id"`
	Tags     []string `kong:"tags"`
	// Groups are the names, or else the ids, of the consumer's groups, in
	// alphabetical order.
	Groups     []string              `kong:"-"`
	KeyAuth    []KeyAuthCredential   `kong:"keyauth_credentials"`
	BasicAuth  []BasicAuthCredential `kong:"basicauth_credentials"`
	JWTSecrets []JWTSecret           `kong:"jwt_secrets"`
	Position   Position              `kong:"-"`
}

// Called returns the name that stands for the consumer: its user name, else its id,
// else its custom id.
func (c Consumer) Called() string { return cmp.Or(c.Username, c.ID, c.CustomID) }

// KeyAuthCredential is an API key.
type KeyAuthCredential struct {
	ID  string `kong:"id"`
	Key Secret `kong:"key"`
}

// BasicAuthCredential is a user name and a password.
type BasicAuthCredential struct {
	ID       string `kong:"id"`
	Username string `kong:"username"`
	Password Secret `kong:"password"`
}

// JWTSecret checks the signatures of tokens whose issuer is Key.
type JWTSecret struct {
	ID           string `kong:"id"`
	Key          string `kong:"key"`
	Algorithm    string `kong:"algorithm"`
	Secret       Secret `kong:"secret"`
	RSAPublicKey string `kong:"rsa_public_key"`
}

// ConsumerGroup is a group of consumers.
type ConsumerGroup struct {
	ID       string   `kong:"id"`
	Name     string   `kong:"name"`
	Tags     []string `kong:"tags"`
	Position Position `kong:"-"`
}

// entity checks an entity of a kind, fills v from it, and returns what was checked.
func (l *loader) entity(kind, path string, n *node, v any) (checked *node, ok bool) {
	before := len(l.faults)
	s := l.entities.fields[kind]
	r := resolver{env: l.env, keepVault: l.symbols != nil, allowUnset: l.allowUnset}
	if l.symbols != nil {
		r.env = l.symbols.variable
	}
	n = r.value(path, s, n)
	l.faults = append(l.faults, r.faults...)
	l.value(path, s, n)
	root := place{path: path, n: n, pos: n.pos}
	l.refuseAll(unsupportedEntities(kind), s, root)
	switch kind {
	case "route":
		l.routeRules(root)
	case "consumer":
		l.credentials(root)
	}
	if len(l.faults) > before {
		return nil, false
	}
	decode(s, n, reflect.ValueOf(v).Elem())
	return n, true
}

// known notes an entity by what it is called, and reports whether it is the only
// one of that name. The first of the names stands for it.
func (l *loader) known(kind, path string, pos Position, names ...string) bool {
	if firstOf(names...) == "" {
		l.want(pos, path, "neither a name nor an id", "one of them")
		return false
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if first, twice := l.places[alias{kind, name}]; twice {
			l.problem(pos, path, "got a second %s of the same name or id, first at %s", strings.ReplaceAll(kind, "_", " "), first)
			return false
		}
	}
	for _, name := range names {
		l.places[alias{kind, name}] = pos
	}
	return true
}

// service reads a service, its plugins and its routes. What is below a faulty
// entity is read as well, for its own faults.
func (l *loader) service(path string, n *node) {
	var s Service
	name := path
	if tree, ok := l.entity("service", path, n, &s); ok && l.known("service", path, n.pos, s.Name, s.ID) {
		l.config.Services = append(l.config.Services, s)
		name = firstOf(s.Name, s.ID)
		l.keep(keptEntity{kind: "service", name: name, n: tree})
	}
	l.plugins(path, n, Scope{Service: name})
	at := join(path, "routes")
	for i, route := range l.listOf(at, n, "routes") {
		l.route(fmt.Sprintf("%s[%d]", at, i), route, name)
	}
}

// route reads a route and its plugins. The service is the one around it.
func (l *loader) route(path string, n *node, service string) {
	r := Route{Service: service}
	name := path
	if tree, ok := l.entity("route", path, n, &r); ok && l.known("route", path, n.pos, r.Name, r.ID) {
		if ref := n.get("service"); ref != nil && service == "" {
			r.Service, _ = ref.reference()
		}
		r.Headers = l.headers(join(path, "headers"), n.get("headers"))
		l.config.Routes = append(l.config.Routes, r)
		name = firstOf(r.Name, r.ID)
		l.keep(keptEntity{kind: "route", name: name, n: tree, service: r.Service})
	}
	l.plugins(path, n, Scope{Route: name})
}

// headers reads lists of strings by the names of headers.
func (l *loader) headers(path string, n *node) map[string][]string {
	if n == nil {
		return nil
	}
	values := &spec{kind: kindList, minLength: 1, item: &spec{kind: kindString}}
	m := make(map[string][]string, len(n.fields))
	for _, f := range n.fields {
		before := len(l.faults)
		l.value(join(path, fieldName(&spec{}, f)), values, f.value)
		if len(l.faults) > before {
			continue
		}
		for _, item := range f.value.items {
			m[f.name] = append(m[f.name], item.text)
		}
	}
	return m
}

// consumer reads a consumer, its plugins and its groups.
func (l *loader) consumer(path string, n *node) {
	var c Consumer
	name := path
	if tree, ok := l.entity("consumer", path, n, &c); ok && l.known("consumer", path, n.pos, c.Username, c.ID, c.CustomID) {
		l.config.Consumers = append(l.config.Consumers, c)
		name = firstOf(c.Username, c.ID, c.CustomID)
		l.keep(keptEntity{kind: "consumer", name: name, n: tree})
	}
	if acls := n.get("acls"); !acls.empty() {
		l.warn(acls.pos, join(path, "acls"), "not read")
	}
	l.plugins(path, n, Scope{Consumer: name})
	for _, g := range n.get("groups").elements() {
		l.members = append(l.members, member{name, entityName(g)})
	}
}

// consumerGroup reads a group, its plugins and its members.
func (l *loader) consumerGroup(path string, n *node) {
	var g ConsumerGroup
	name := path
	if tree, ok := l.entity("consumer_group", path, n, &g); ok && l.known("consumer_group", path, n.pos, g.Name, g.ID) {
		l.config.ConsumerGroups = append(l.config.ConsumerGroups, g)
		name = g.Name
		l.keep(keptEntity{kind: "consumer_group", name: name, n: tree})
	}
	l.plugins(path, n, Scope{ConsumerGroup: name})
	for _, c := range n.get("consumers").elements() {
		l.members = append(l.members, member{entityName(c), name})
	}
}

// member says that a consumer is in a group.
type member struct{ consumer, group string }

// entityName returns what a reference calls an entity.
func entityName(n *node) string {
	return firstOf(n.get("name").str(), n.get("username").str(), n.get("id").str(), n.get("custom_id").str())
}

// joinGroups puts consumers into their groups.
func (l *loader) joinGroups(x *Names) {
	groups := map[string][]string{}
	for _, m := range l.members {
		c := x.Of("consumer", m.consumer)
		groups[c] = append(groups[c], x.Of("consumer_group", m.group))
	}
	for i, c := range l.config.Consumers {
		list := groups[firstOf(c.Username, c.ID, c.CustomID)]
		slices.Sort(list)
		l.config.Consumers[i].Groups = slices.Compact(list)
	}
}
