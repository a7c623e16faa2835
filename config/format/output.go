package format

import (
	"fmt"
	"slices"

	"semlb/config"
	"semlb/config/placeholder"
	"semlb/config/report"
	"semlb/config/schema"
	"semlb/config/tree"
	"semlb/wire"
)

// Output is what a writer writes: checked trees, in which placeholders stand for the
// environment.
type Output struct {
	Plugins []Plugin
	// Entities come after those that they refer to.
	Entities     []Entity
	Placeholders *placeholder.Set
	Tables       *schema.Tables
	// Warnings are about what the format cannot say and loses no meaning.
	Warnings []config.Warning
}

// Plugin is an instance to write.
type Plugin struct {
	Node  *tree.Node
	Scope config.Scope
	// Unbound is set for one that is not attached to anything.
	Unbound *Resource
}

// Entity is an entity to write.
type Entity struct {
	Kind, Name string
	// Node lacks what the fields below say.
	Node *tree.Node
	// Service is the service of a route. Groups are those of a consumer.
	Service string
	Groups  []string
}

// Warn adds a warning, in which what looks like a key is masked.
func (o *Output) Warn(format string, args ...any) {
	o.Warnings = append(o.Warnings, config.Warning{Text: wire.MaskKeys(fmt.Sprintf(format, args...))})
}

// Entity returns the entity of a kind and a name, or nil where there is none.
func (o *Output) Entity(kind, name string) *Entity {
	i := slices.IndexFunc(o.Entities, func(e Entity) bool { return e.Kind == kind && e.Name == name })
	if i < 0 {
		return nil
	}
	return &o.Entities[i]
}

// Reference returns a reference to an entity, as Kong's APIs take it.
func (o *Output) Reference(kind, name string) *tree.Node {
	key := "name"
	if kind == config.KindConsumer {
		key = "username"
	}
	if e := o.Entity(kind, name); e != nil && e.Node.Get("id").Str() == name {
		key = "id"
	}
	return tree.NewObject(key, tree.NewString(name))
}

// RequireDirect returns an error where a value is made by one of decK's templates, which
// a format other than decK's cannot say.
func (o *Output) RequireDirect(format string) error {
	for _, p := range o.Placeholders.All() {
		if !p.Direct() {
			return fmt.Errorf("convert to %s: the value of %s goes through a template, which only deck has", format, p.Variable)
		}
	}
	return nil
}

// DisableUnbound turns an instance that is not attached to anything into a global one that is
// disabled, for formats that cannot say that a plugin applies nowhere. There can be one
// such instance; further ones are left out.
func (o *Output) DisableUnbound() {
	global := map[string]bool{}
	for _, p := range o.Plugins {
		if p.Unbound == nil && p.Scope.Global() {
			global[p.Node.Get("name").Str()] = true
		}
	}
	var kept []Plugin
	for _, p := range o.Plugins {
		if p.Unbound != nil {
			plugin, name := p.Node.Get("name").Str(), p.Unbound.Kind+" "+p.Unbound.Shown
			if global[plugin] {
				o.Warn("%s is not attached to anything; it is omitted, because there is a global instance already", name)
				continue
			}
			o.Warn("%s is not attached to anything; it becomes a disabled global instance", name)
			p.Node, p.Unbound = p.Node.With("enabled", &tree.Node{Kind: tree.Bool, Text: "false"}), nil
			global[plugin] = true
		}
		kept = append(kept, p)
	}
	o.Plugins = kept
}

// AddHosts gives services a host, which Kong's APIs require.
func (o *Output) AddHosts() {
	for i, e := range o.Entities {
		if e.Kind == config.KindService && e.Node.Get("host") == nil && e.Node.Get("url") == nil {
			o.Entities[i].Node = e.Node.With("host", tree.NewString("localhost"))
			o.Warn("service %s has no host; it gets localhost", report.Quote(e.Name))
		}
	}
}

// Body returns an instance as most formats have it, with each part of its scope as a
// function writes it.
func (p Plugin) Body(reference func(kind, name string) *tree.Node) *tree.Node {
	n := &tree.Node{Kind: tree.Object}
	for _, f := range p.Node.Fields {
		empty := f.Value.Kind == tree.Null && !f.Value.Broken
		if f.Name == "_config" || empty || slices.Contains(config.ScopeParts[:], f.Name) {
			continue
		}
		n.Fields = append(n.Fields, f)
	}
	for i, name := range p.Scope.Parts() {
		if name != "" {
			kind := config.ScopeParts[i]
			n.Fields = append(n.Fields, tree.Field{Name: kind, Value: reference(kind, name)})
		}
	}
	return n
}
