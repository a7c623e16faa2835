package admin

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"

	"github.com/google/uuid"

	"semlb/config"
	"semlb/config/schema"
)

// fromConfig returns the entities of a loaded configuration. Those without an id get one
// that is derived from their names, so that it stays the same.
func fromConfig(c *config.Config, ks kinds) *state {
	in := importer{newState(ks)}
	for _, v := range c.Services {
		in.add(services, v.ID, v.Name, encode(v))
	}
	for _, v := range c.Routes {
		fields := encode(v)
		if v.Service != "" {
			fields["service"] = in.foreignKey(services, v.Service)
		}
		in.add(routes, v.ID, v.Name, fields)
	}
	for _, v := range c.ConsumerGroups {
		in.add(groups, v.ID, v.Name, encode(v))
	}
	for _, v := range c.Consumers {
		in.consumer(v)
	}
	for i := range c.Plugins {
		p := &c.Plugins[i]
		in.plugin(pluginID(p), p.Scope, object{
			"name": p.Name, "instance_name": schema.Encode(p.InstanceName), "enabled": p.Enabled,
			"tags": schema.Encode(p.Tags), "config": prune(schema.Encode(p.Settings)),
		})
	}
	for i := range c.Guarding {
		g := &c.Guarding[i]
		in.plugin(scopedID(g.ID, g.Scope, g.Name), g.Scope, object{
			"name": g.Name, "instance_name": schema.Encode(g.InstanceName), "enabled": g.Enabled,
			"tags": schema.Encode(g.Tags), "config": prune(schema.Plain(g.Given)),
		})
	}
	return in.state
}

// importer fills a state from a configuration.
type importer struct{ state *state }

// encode returns a part of the model as an object of its fields.
func encode(v any) object {
	fields, _ := prune(schema.Encode(v)).(object)
	return fields
}

// add adds an entity with those of some fields that its kind has.
func (in importer) add(name, id, derivedFrom string, fields object) *entity {
	k := in.state.kinds.named(name)
	maps.DeleteFunc(fields, func(name string, v any) bool { return k.fields.Fields[name] == nil || v == nil })
	if !isUUID(id) {
		id = derivedID(name, derivedFrom)
	}
	fields["id"] = id
	e := &entity{kind: k, fields: fields}
	in.state.put(e)
	return e
}

// derivedID returns the id of an entity that a file gives none: a UUID of version 8, made
// from its kind and name.
func derivedID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 8<<4
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// foreignKey returns a reference to an entity that a file refers to by a name. The name of
// an entity that no file has is kept.
func (in importer) foreignKey(kind, name string) object {
	if e := in.state.find(kind, name); e != nil {
		return e.foreignKey()
	}
	if kind == consumers {
		if found := in.state.collections[consumers].having(uniqueCustomID, name); len(found) > 0 {
			return found[0].foreignKey()
		}
	}
	return object{"name": name}
}

func (in importer) consumer(v config.Consumer) {
	name := v.Username
	if name == "" {
		name = v.CustomID
	}
	e := in.add(consumers, v.ID, name, encode(v))
	for _, g := range v.Groups {
		if group := in.state.find(groups, g); group != nil {
			in.state.join(e.id(), group.id())
		}
	}
	for i, c := range v.KeyAuth {
		in.credential(keyAuths, c.ID, i, e, c)
	}
	for i, c := range v.BasicAuth {
		in.credential(basicAuths, c.ID, i, e, c)
	}
	for i, c := range v.JWTSecrets {
		in.credential(jwtSecrets, c.ID, i, e, c)
	}
	for i, c := range v.ACLs {
		in.credential(aclGroups, c.ID, i, e, c)
	}
}

func (in importer) credential(kind, id string, index int, consumer *entity, c any) {
	fields := encode(c)
	fields["consumer"] = consumer.foreignKey()
	in.add(kind, id, fmt.Sprint(consumer.id(), index), fields)
}

// plugin adds a plugin of a scope.
func (in importer) plugin(id string, of config.Scope, fields object) {
	for i, r := range in.state.kinds.named(plugins).references {
		if name := of.Parts()[i]; name != "" {
			fields[r.field] = in.foreignKey(r.to, name)
		}
	}
	in.add(plugins, id, "", fields)
}

// pluginID returns the id of an instance. One without an id gets it from its scope.
func pluginID(p *config.Plugin) string { return scopedID(p.ID, p.Scope) }

// scopedID returns an id that a file gives or, where it gives none, one that is derived
// from a scope, and from more where that is not enough.
func scopedID(given string, s config.Scope, more ...string) string {
	if isUUID(given) {
		return given
	}
	return derivedID(append(append([]string{plugins}, s.Parts()...), more...)...)
}
