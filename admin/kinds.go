package admin

import (
	"reflect"

	"semlb/config"
)

// barePlugin is an instance with no more than must be, so that everything else of
// it is a default.
const barePlugin = `{"name": "ai-proxy-advanced", "config": {
	"targets": [{"route_type": "llm/v1/chat", "model": {"provider": "openai"}}],
	"embeddings": {"model": {"provider": "openai", "name": "x"}},
	"vectordb": {"strategy": "redis", "distance_metric": "cosine", "dimensions": 1}
}}`

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

// newKinds returns what is known of each collection. The defaults are those Kong
// publishes for the entities.
func newKinds() map[string]*kind {
	owner := []ref{{field: "consumer", kind: consumers, required: true}}
	kinds := []*kind{
		{
			name: services, path: services, nested: services, singular: "service", deck: services, key: "name",
			unique: []string{"name"}, shape: serviceShape(), check: checkService,
		},
		{
			name: routes, path: routes, nested: routes, singular: "route", deck: routes, key: "name",
			unique: []string{"name"}, shape: routeShape(), check: checkRoute,
			refs: []ref{{field: "service", kind: services, restrict: true}},
		},
		{
			name: consumers, path: consumers, nested: consumers, singular: "consumer", deck: consumers, key: "username",
			unique: []string{"username", "custom_id"}, check: checkConsumer,
			shape: record(fields{"username": str(), "custom_id": str()}),
		},
		{
			name: groups, path: groups, nested: groups, singular: "consumer_group", deck: groups, key: "name",
			unique: []string{"name"}, shape: record(fields{"name": must(str())}), check: nothing,
		},
		{
			name: keyAuths, path: "key-auths", nested: "key-auth", deck: keyAuths, key: "key", unique: []string{"key"}, refs: owner,
			shape: record(fields{"key": must(secret()), "ttl": whole(nil)}), check: nothing,
		},
		{
			name: basicAuths, path: "basic-auths", nested: "basic-auth", deck: basicAuths, key: "username",
			unique: []string{"username"}, refs: owner, check: nothing,
			shape: record(fields{"username": must(str()), "password": must(secret())}),
		},
		{
			name: jwtSecrets, path: "jwts", nested: "jwt", deck: jwtSecrets, key: "key",
			unique: []string{"key"}, refs: owner, check: checkJWT,
			shape: record(fields{"key": must(str()), "secret": secret(), "algorithm": fixed(str(), "HS256"), "rsa_public_key": str()}),
		},
		{
			name: plugins, path: plugins, nested: plugins, deck: plugins, key: "instance_name",
			unique: []string{"instance_name"}, shape: pluginShape(), check: checkPlugin,
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
		for name, s := range (fields{"id": str(), "created_at": whole(nil), "updated_at": whole(nil), "tags": list(str())}) {
			k.shape.fields[name] = s
		}
		for _, r := range k.refs {
			k.shape.fields[r.field] = &shape{typ: "record", fields: fields{"id": str(), "name": str(), "username": str()}}
		}
		if k.credential() {
			delete(k.shape.fields, "updated_at")
		}
		all[k.name] = k
	}
	return all
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

type fields = map[string]*shape

func record(f fields) *shape { return &shape{typ: "record", fields: f} }
func str() *shape            { return &shape{typ: "string"} }
func secret() *shape         { return &shape{typ: "string", secret: true} }
func flag(on bool) *shape    { return &shape{typ: "boolean", fallback: on} }
func list(s *shape) *shape   { return &shape{typ: "array", item: s} }
func free() *shape           { return &shape{typ: "map"} }

func whole(fallback any) *shape {
	if i, ok := fallback.(int); ok {
		fallback = integer(int64(i))
	}
	return &shape{typ: "integer", fallback: fallback}
}

func must(s *shape) *shape {
	s.required = true
	return s
}

func fixed(s *shape, fallback any) *shape {
	s.fallback = fallback
	return s
}

func serviceShape() *shape {
	return record(fields{
		"name": str(), "host": must(str()), "path": str(), "url": str(), "enabled": flag(true),
		"protocol": fixed(str(), "http"), "port": whole(80), "retries": whole(5),
		"connect_timeout": whole(60000), "read_timeout": whole(60000), "write_timeout": whole(60000),
		"ca_certificates": list(str()), "client_certificate": free(), "tls_sans": free(),
		"tls_verify": {typ: "boolean"}, "tls_verify_depth": whole(nil),
	})
}

func routeShape() *shape {
	return record(fields{
		"name": str(), "hosts": list(str()), "paths": list(str()), "methods": list(str()), "headers": free(),
		"snis": list(str()), "sources": list(free()), "destinations": list(free()),
		"protocols": fixed(list(str()), []any{"http", "https"}), "https_redirect_status_code": whole(426),
		"regex_priority": whole(0), "path_handling": fixed(str(), "v0"), "strip_path": flag(true), "preserve_host": flag(false),
		"request_buffering": flag(true), "response_buffering": flag(true),
	})
}

func pluginShape() *shape {
	settings := shapeOf(reflect.TypeFor[config.AIProxyAdvanced]())
	settings.required = true
	settings.learnDefaults()
	return record(fields{
		"name": must(str()), "instance_name": str(), "enabled": flag(true), "config": settings,
		"protocols": fixed(list(str()), []any{"grpc", "grpcs", "http", "https"}),
		"ordering":  free(), "partials": list(free()), "condition": str(),
	})
}
