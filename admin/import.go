package admin

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"semlb/config"
)

// fromConfig returns the entities of a loaded configuration. Those without an id
// get one that follows from their names, so that it stays the same.
func fromConfig(c *config.Config, kinds map[string]*kind) *state {
	s := newState()
	in := importer{state: s, kinds: kinds}
	for _, v := range c.Services {
		in.add(services, v.ID, v.Name, in.fields(v))
	}
	for _, v := range c.Routes {
		e := in.fields(v)
		if v.Service != "" {
			e["service"] = in.reference(services, v.Service)
		}
		in.add(routes, v.ID, v.Name, e)
	}
	for _, v := range c.ConsumerGroups {
		in.add(groups, v.ID, v.Name, in.fields(v))
	}
	for _, v := range c.Consumers {
		in.consumer(v)
	}
	for i := range c.Plugins {
		in.plugin(&c.Plugins[i])
	}
	return s
}

type importer struct {
	state *state
	kinds map[string]*kind
}

// fields returns the fields of an entity that the API knows.
func (in importer) fields(v any) object {
	o, _ := prune(encode(reflect.ValueOf(v))).(object)
	return o
}

// add adds an entity and returns its id.
func (in importer) add(kind, id, name string, e object) string {
	for field := range e {
		if in.kinds[kind].shape.fields[field] == nil {
			delete(e, field)
		}
	}
	if !isUUID(id) {
		id = derivedID(kind, name)
	}
	e["id"] = id
	in.state.entities[kind][id], _ = prune(e).(object)
	return id
}

// derivedID returns the id of an entity that has none: a UUID of version 8, made
// from its kind and name.
func derivedID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return formatUUID([16]byte(sum[:16]), 8)
}

// reference returns a reference to an entity that a file calls by a name. One that
// is in no file is kept as it is called.
func (in importer) reference(kind, name string) object {
	if e, ok := in.state.find(in.kinds[kind], name); ok {
		return object{"id": e["id"]}
	}
	for _, e := range in.state.entities[kind] {
		if text(e, "custom_id") == name {
			return object{"id": e["id"]}
		}
	}
	return object{"name": name}
}

func (in importer) consumer(v config.Consumer) {
	name := firstOf(v.Username, v.CustomID)
	id := in.add(consumers, v.ID, name, in.fields(v))
	for _, g := range v.Groups {
		if e, ok := in.state.find(in.kinds[groups], g); ok {
			in.state.join(id, text(e, "id"))
		}
	}
	owner := object{"id": id}
	for i, c := range v.KeyAuth {
		in.credential(keyAuths, c.ID, id, i, owner, c)
	}
	for i, c := range v.BasicAuth {
		in.credential(basicAuths, c.ID, id, i, owner, c)
	}
	for i, c := range v.JWTSecrets {
		in.credential(jwtSecrets, c.ID, id, i, owner, c)
	}
}

func (in importer) credential(kind, id, consumer string, index int, owner object, c any) {
	e := in.fields(c)
	e["consumer"] = owner
	in.add(kind, id, fmt.Sprint(consumer, index), e)
}

func (in importer) plugin(p *config.Plugin) {
	e := object{
		"name": p.Name, "enabled": p.Enabled,
		"config": encode(reflect.ValueOf(p.Settings)),
	}
	if p.InstanceName != "" {
		e["instance_name"] = p.InstanceName
	}
	if p.Tags != nil {
		e["tags"] = encode(reflect.ValueOf(p.Tags))
	}
	scope := []string{p.Scope.Service, p.Scope.Route, p.Scope.Consumer, p.Scope.ConsumerGroup}
	for i, r := range in.kinds[plugins].refs {
		if scope[i] != "" {
			e[r.field] = in.reference(r.kind, scope[i])
		}
	}
	in.add(plugins, pluginID(p), "", e)
}

// pluginID returns the id of an instance; one without gets it from its scope.
func pluginID(p *config.Plugin) string {
	if isUUID(p.ID) {
		return p.ID
	}
	return derivedID(plugins, p.Scope.Service, p.Scope.Route, p.Scope.Consumer, p.Scope.ConsumerGroup)
}

func firstOf(texts ...string) string {
	if i := slices.IndexFunc(texts, func(t string) bool { return t != "" }); i >= 0 {
		return texts[i]
	}
	return ""
}

// seedState returns the state that files of any format come to, in which
// credentials that the files refer to stay references. It is an error if the
// state would load as anything else than the files do.
func seedState(sources []config.Source, options config.Options, kinds map[string]*kind) (*state, *config.Config, error) {
	want, _, err := config.Load(sources, options)
	if err != nil {
		return nil, nil, err
	}
	asked := variables(sources, options)
	symbolic := map[string]bool{}
	for _, name := range asked {
		if trial := map[string]bool{name: true}; agrees(seedWith(sources, options, kinds, trial), want, options, kinds) {
			symbolic[name] = true
		}
	}
	for _, names := range []map[string]bool{symbolic, nil} {
		s := seedWith(sources, options, kinds, names)
		if agrees(s, want, options, kinds) {
			cfg, _, err := s.render(kinds).load(options)
			return s, cfg, err
		}
	}
	return nil, nil, fmt.Errorf("seed state: the files hold something that one decK file cannot say the same way")
}

// variables lists the names that sources ask the environment for.
func variables(sources []config.Source, options config.Options) []string {
	var names []string
	options.Env = watch(options.Env, func(name string) { names = append(names, name) })
	// Faults were told by the load before this one.
	_, _, _ = config.Load(sources, options)
	slices.Sort(names)
	return slices.Compact(names)
}

func watch(env func(string) (string, bool), note func(string)) func(string) (string, bool) {
	return func(name string) (string, bool) {
		note(name)
		if env == nil {
			return "", false
		}
		return env(name)
	}
}

// seedWith returns the state of sources in which some variables stand for
// themselves, or nil where it cannot be had.
func seedWith(sources []config.Source, options config.Options, kinds map[string]*kind, symbolic map[string]bool) *state {
	lookup := options.Env
	options.Env = func(name string) (string, bool) {
		if symbolic[name] {
			return "$" + name, true
		}
		if lookup == nil {
			return "", false
		}
		return lookup(name)
	}
	c, _, err := config.Load(sources, options)
	if err != nil {
		return nil
	}
	return fromConfig(c, kinds)
}

// agrees reports whether a state loads as a configuration says.
func agrees(s *state, want *config.Config, options config.Options, kinds map[string]*kind) bool {
	if s == nil {
		return false
	}
	got, _, err := s.render(kinds).load(options)
	if err != nil {
		return false
	}
	// Both are compared as states, which have no places in files, and whose
	// entities are in one order.
	a, b := fromConfig(got, kinds), fromConfig(want, kinds)
	return reflect.DeepEqual(a, b)
}
