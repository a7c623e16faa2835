package script

import (
	"fmt"
	"regexp"
	"strings"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/tree"
)

// request is a request to the Admin API or to Konnect.
type request struct {
	// parts are those of the path, behind what is before the entities.
	parts []string
	body  *tree.Node
}

// path returns the path, as faults show it.
func (r request) path() string { return "/" + strings.Join(r.parts, "/") }

// plainPart matches the collections of the Admin API.
var plainPart = regexp.MustCompile(`^[a-z][a-z_-]{0,23}$`)

// shownPath returns the path for a message, without names and ids. Those are arguments of
// a script, and may be credentials.
func (r request) shownPath() string {
	path := ""
	for i, part := range r.parts {
		if i%2 == 1 || !plainPart.MatchString(part) {
			part = "…"
		}
		path += "/" + part
	}
	return path
}

// part returns a part of the path, or "".
func (r request) part(i int) string {
	if i >= len(r.parts) {
		return ""
	}
	return r.parts[i]
}

// collections are the paths of entities, and their kinds.
var collections = map[string]string{
	"services": config.KindService, "routes": config.KindRoute,
	"consumers": config.KindConsumer, "consumer_groups": config.KindConsumerGroup,
	"vaults": format.KindVault,
}

// credential returns the kind of credential that a request makes.
func (r request) credential() (format.Credential, bool) {
	if len(r.parts) != 3 || r.parts[0] != "consumers" {
		return format.Credential{}, false
	}
	return format.CredentialOf(r.parts[2])
}

// yield turns requests into entities and plugins. It gets all requests of a
// configuration: a consumer's credentials have requests of their own.
func yield(in *format.Input, requests []request) {
	owned := format.Owned{}
	for _, r := range requests {
		if kind, ok := r.credential(); ok {
			owned.Add(r.parts[1], kind.List, r.body)
		}
	}
	for _, r := range requests {
		if _, ok := r.credential(); !ok {
			r.yield(in, owned)
		}
	}
}

func (r request) yield(in *format.Input, owned format.Owned) {
	kind, name, nested := collections[r.part(0)], r.part(1), r.part(2)
	var scope config.Scope
	scope.SetPart(kind, name)
	switch {
	case r.part(0) == "plugins":
		in.AddPlugin(r.path(), r.body, config.Scope{})
	case kind != "" && kind != format.KindVault && nested == "plugins":
		in.AddPlugin(r.path(), r.body, scope)
	case kind == config.KindService && nested == "routes":
		in.Items = append(in.Items, format.Item{Kind: config.KindRoute, Path: r.path(), Node: r.body, Scope: scope})
	case kind == config.KindConsumerGroup && nested == "consumers":
		in.AddMember(r.body.Get("consumer").Str(), name)
	case kind == config.KindConsumer && nested == "consumer_groups":
		in.AddMember(name, r.body.Get("group").Str())
	case kind != "" && len(r.parts) < 3:
		in.AddEntity(kind, r.path(), r.entity(kind, owned))
	default:
		in.Warn(r.body.Pos, "", fmt.Sprintf("a request to %q is ignored", r.shownPath()))
	}
}

// entity returns the entity that a request makes. A request to its own path names it
// there.
func (r request) entity(kind string, owned format.Owned) *tree.Node {
	n, key := r.body, "name"
	switch kind {
	case config.KindConsumer:
		key = "username"
	case format.KindVault:
		key = "prefix"
	}
	if len(r.parts) > 1 && n.Kind == tree.Object && !n.Has(key) {
		n = n.With(key, format.StringAt(n.Pos, r.parts[1]))
	}
	if kind == config.KindConsumer {
		for _, name := range []string{"username", "id", "custom_id"} {
			n = owned.Given(n, n.Get(name).Str())
		}
	}
	return n
}
