package admin

import (
	"fmt"

	"semlb/config"
)

// pluginName is the one plugin there is.
const pluginName = "ai-proxy-advanced"

// kind is what is known of the entities of a collection.
type kind struct {
	// name is Kong's name of the collection, path its place at the top and nested
	// its place below a parent.
	name, path, nested string
	// singular is what references to one are called.
	singular string
	// deck is the name of the list in a decK file.
	deck string
	// key is the field that stands for the id in paths.
	key string
	// unique are the fields no two entities may share.
	unique []string
	shape  *shape
	// refs are the fields that name an entity of another kind.
	refs []ref
	// check returns what is wrong with an entity beyond the types of its fields.
	check func(object) []violation
}

// ref is a field that names an entity.
type ref struct {
	field, kind string
	// restrict keeps an entity from being deleted while it is referred to; others
	// are deleted with it.
	restrict bool
	// required references must be there.
	required bool
}

// The names of the collections.
const (
	services   = "services"
	routes     = "routes"
	consumers  = "consumers"
	groups     = "consumer_groups"
	plugins    = "plugins"
	keyAuths   = "keyauth_credentials"
	basicAuths = "basicauth_credentials"
	jwtSecrets = "jwt_secrets"
)

// kindOrder lists the collections, those that others refer to first.
func kindOrder() []string {
	return []string{services, routes, consumers, groups, keyAuths, basicAuths, jwtSecrets, plugins}
}

// newKinds returns what is known of each collection. Their fields are those that
// configurations are checked with.
func newKinds(options config.Options) (map[string]*kind, error) {
	schema, err := config.Schema(options)
	if err != nil {
		return nil, fmt.Errorf("describe entities: %w", err)
	}
	owner := []ref{{field: "consumer", kind: consumers, required: true}}
	kinds := []*kind{
		{
			name: services, path: services, nested: services, singular: "service", deck: services, key: "name",
			unique: []string{"name"}, shape: entityShape(schema["service"], plugins, routes), check: checkService,
		},
		{
			name: routes, path: routes, nested: routes, singular: "route", deck: routes, key: "name",
			// Kong has the last two with another kind of router only.
			unique: []string{"name"}, shape: entityShape(schema["route"], plugins, "expression", "priority"), check: checkRoute,
			refs: []ref{{field: "service", kind: services, restrict: true}},
		},
		{
			name: consumers, path: consumers, nested: consumers, singular: "consumer", deck: consumers, key: "username",
			unique: []string{"username", "custom_id"}, check: checkConsumer,
			shape: entityShape(schema["consumer"], plugins, "groups", "acls", keyAuths, basicAuths, jwtSecrets,
				"hmacauth_credentials", "mtls_auth_credentials", "oauth2_credentials"),
		},
		{
			name: groups, path: groups, nested: groups, singular: "consumer_group", deck: groups, key: "name",
			unique: []string{"name"}, shape: entityShape(schema["consumer_group"], plugins, consumers), check: nothing,
		},
		{
			name: keyAuths, path: "key-auths", nested: "key-auth", deck: keyAuths, key: "key",
			unique: []string{"key"}, refs: owner, check: nothing, shape: credentialShape(schema, keyAuths),
		},
		{
			name: basicAuths, path: "basic-auths", nested: "basic-auth", deck: basicAuths, key: "username",
			unique: []string{"username"}, refs: owner, check: nothing, shape: credentialShape(schema, basicAuths),
		},
		{
			name: jwtSecrets, path: "jwts", nested: "jwt", deck: jwtSecrets, key: "key",
			unique: []string{"key"}, refs: owner, check: checkJWT, shape: credentialShape(schema, jwtSecrets),
		},
		{
			name: plugins, path: plugins, nested: plugins, deck: plugins, key: "instance_name",
			unique: []string{"instance_name"}, check: checkPlugin,
			// What files say besides has no place in the API.
			shape: entityShape(schema["plugin"], "_config", "run_on"),
			refs: []ref{
				{field: "service", kind: services},
				{field: "route", kind: routes},
				{field: "consumer", kind: consumers},
				{field: "consumer_group", kind: groups},
			},
		},
	}
	all := make(map[string]*kind, len(kinds))
	for _, k := range kinds {
		all[k.name] = k
	}
	all[services].shape.fields["host"].required = true
	all[routes].shape.fields["headers"].item = listOf(str())
	return all, nil
}

// entityShape returns the shape of an entity, without what the API has elsewhere.
func entityShape(f *config.Field, without ...string) *shape {
	s := newShape(f)
	for _, name := range without {
		delete(s.fields, name)
	}
	return s
}

// credentialShape returns the shape of a consumer's credentials, which files have in
// a list of the consumer.
func credentialShape(schema map[string]*config.Field, list string) *shape {
	s := newShape(schema["consumer"].Fields[list].Elements)
	s.fields["consumer"] = newShape(&config.Field{Type: "foreign"})
	return s
}

// credential reports whether entities are credentials of a consumer.
func (k *kind) credential() bool { return len(k.refs) == 1 && k.refs[0].required }

// refTo returns the reference to entities of a kind, if there is one.
func (k *kind) refTo(parent string) (ref, bool) {
	for _, r := range k.refs {
		if r.kind == parent {
			return r, true
		}
	}
	return ref{}, false
}
