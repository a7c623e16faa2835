package admin

import (
	"fmt"
	"maps"
	"slices"

	"semlb/config/load"
	"semlb/config/schema"
	"semlb/config/tree"
)

// The kinds of entities, by Kong's names for them.
const (
	services   = "services"
	routes     = "routes"
	consumers  = "consumers"
	groups     = "consumer_groups"
	plugins    = "plugins"
	keyAuths   = "keyauth_credentials"
	basicAuths = "basicauth_credentials"
	jwtSecrets = "jwt_secrets"
	aclGroups  = "acls"
)

// kind describes the entities of one collection.
type kind struct {
	// name is Kong's name for the kind, and that of the list in a decK file.
	name string
	// path is the collection's name at the top of URL paths, nested below a parent.
	path, nested string
	// key is the field that may stand for the id in paths, and localKey the one that may
	// below the owner. Each kind has one of them.
	key, localKey string
	// unique are the constraints. newKinds puts the one on the key before those of the table.
	unique     []constraint
	references []reference
	// check completes the fields of an entity, and returns what is wrong with them
	// beyond their types.
	check func(object) []violation

	// table is the name of the kind's table in the schema.
	table string
	// omitted are the fields of that table that are not part of an entity here: files
	// nest other entities in them.
	omitted []string
	// inputOnly are the fields that clients send and no answer has.
	inputOnly []string
	// amended are the fields that differ from that table.
	amended map[string]*schema.Field

	// fields describes an entity, and defaults has all that answers show, with its
	// defaults. newKinds makes both.
	fields   *schema.Field
	defaults object
	// byName describes the plugins whose settings differ from those that fields has. It is
	// empty for other kinds.
	byName map[string]*schema.Field
}

// constraint is a set of fields that no two entities of a kind may have in common.
type constraint []string

// reference is a field that names an entity of another kind.
type reference struct {
	// field is the name of the field, to the kind it refers to.
	field, to string
	// owner references are required. In a decK file the owner has a list of such
	// entities. In this API these are a consumer's credentials.
	owner bool
	// restrict keeps an entity from being deleted while it is referred to. Without it,
	// what refers to the entity is deleted as well.
	restrict bool
}

var ownedByConsumer = []reference{{field: "consumer", to: consumers, owner: true}}

// kindTable lists the kinds, those that others refer to first.
var kindTable = []kind{
	{
		name: services, path: services, nested: services, key: "name", check: checkService,
		table: "service", omitted: []string{plugins, routes}, inputOnly: []string{"url"},
		amended: map[string]*schema.Field{"host": {Name: "host", Kind: tree.String, Required: true}},
	},
	{
		name: routes, path: routes, nested: routes, key: "name", check: checkRoute,
		references: []reference{{field: "service", to: services, restrict: true}},
		// Kong has the last two with another kind of router only.
		table: "route", omitted: []string{plugins, "expression", "priority"},
	},
	{
		name: consumers, path: consumers, nested: consumers, key: "username", check: checkConsumer,
		unique: []constraint{{"custom_id"}},
		table:  "consumer", omitted: []string{
			plugins, "groups", aclGroups, keyAuths, basicAuths, jwtSecrets,
			"hmacauth_credentials", "mtls_auth_credentials", "oauth2_credentials",
		},
	},
	{
		name: groups, path: groups, nested: groups, key: "name", check: checkNothing,
		table: "consumer_group", omitted: []string{plugins, consumers},
	},
	{
		name: keyAuths, path: "key-auths", nested: "key-auth", key: "key", check: checkNothing,
		references: ownedByConsumer, table: "consumer", amended: map[string]*schema.Field{"consumer": foreign},
	},
	{
		name: basicAuths, path: "basic-auths", nested: "basic-auth", key: "username", check: checkNothing,
		references: ownedByConsumer, table: "consumer", amended: map[string]*schema.Field{"consumer": foreign},
	},
	{
		name: jwtSecrets, path: "jwts", nested: "jwt", key: "key", check: checkJWT,
		references: ownedByConsumer, table: "consumer", amended: map[string]*schema.Field{"consumer": foreign},
	},
	{
		name: aclGroups, path: "acls", nested: "acls", localKey: "group", check: checkNothing,
		references: ownedByConsumer, table: "consumer", amended: map[string]*schema.Field{"consumer": foreign},
	},
	{
		name: plugins, path: plugins, nested: plugins, key: "instance_name", check: checkNothing,
		unique: []constraint{{"name", "service", "route", "consumer", "consumer_group"}},
		references: []reference{
			{field: "service", to: services},
			{field: "route", to: routes},
			{field: "consumer", to: consumers},
			{field: "consumer_group", to: groups},
		},
		table: "plugin", omitted: []string{"_config", "run_on"},
	},
}

// kinds are all kinds, in the order of kindTable.
type kinds []*kind

// newKinds returns the kinds with their fields, as configurations are checked with some
// options.
func newKinds(o load.Options) (kinds, error) {
	tables, err := schema.For(o.KongVersion)
	if err != nil {
		return nil, fmt.Errorf("describe entities: %w", err)
	}
	all := make(kinds, len(kindTable))
	for i := range kindTable {
		k := kindTable[i]
		k.describe(tables)
		if k.name == plugins {
			k.describePlugins(tables, o.IgnoredPlugins)
		}
		all[i] = &k
	}
	return all, nil
}

// describe makes what the table of kinds leaves to the schema.
func (k *kind) describe(tables *schema.Tables) {
	key := constraint{k.key}
	if k.localKey != "" {
		key = constraint{k.owner().field, k.localKey}
	}
	k.unique = append([]constraint{key}, k.unique...)
	table := tables.Entities[k.table]
	switch {
	case k.name == plugins:
		table = tables.Plugin
	case k.owner() != nil:
		table = table.Fields[k.name].Elements
	}
	k.fields = k.described(table)
	k.defaults = make(object, len(k.fields.Fields))
	for name, f := range k.fields.Fields {
		if !slices.Contains(k.inputOnly, name) {
			k.defaults[name] = schema.Plain(f.Default)
		}
	}
}

// described returns what a table has for entities of the kind.
func (k *kind) described(table *schema.Field) *schema.Field {
	fields := maps.Clone(table.Fields)
	maps.Copy(fields, k.amended)
	maps.DeleteFunc(fields, func(name string, f *schema.Field) bool {
		return f.NewSince != "" || slices.Contains(k.omitted, name)
	})
	return &schema.Field{Kind: tree.Object, Fields: fields}
}

// fieldsOf describes an entity with a name. The name tells one plugin from another.
func (k *kind) fieldsOf(name string) *schema.Field {
	if f := k.byName[name]; f != nil {
		return f
	}
	return k.fields
}

// owner returns the reference to the entity that owns one of this kind, or nil.
func (k *kind) owner() *reference {
	i := slices.IndexFunc(k.references, func(r reference) bool { return r.owner })
	if i < 0 {
		return nil
	}
	return &k.references[i]
}

// referenceTo returns the index of the reference to a kind, or -1.
func (k *kind) referenceTo(to *kind) int {
	return slices.IndexFunc(k.references, func(r reference) bool { return r.to == to.name })
}

// find returns the first kind that a function accepts, or nil.
func (ks kinds) find(accept func(*kind) bool) *kind {
	if i := slices.IndexFunc(ks, accept); i >= 0 {
		return ks[i]
	}
	return nil
}

// named returns the kind that Kong calls by a name, or nil.
func (ks kinds) named(name string) *kind {
	return ks.find(func(k *kind) bool { return k.name == name })
}

// owned returns the kinds whose entities one of the kind owns.
func (ks kinds) owned(by *kind) kinds {
	return slices.DeleteFunc(slices.Clone(ks), func(k *kind) bool {
		owner := k.owner()
		return owner == nil || owner.to != by.name
	})
}
