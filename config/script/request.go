package script

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"semlb/config"
	"semlb/config/format"
	"semlb/config/tree"
)

// request is a request to the Admin API or to Konnect.
type request struct {
	method string
	// conditional is set where a command may not make the request.
	conditional bool
	pos         config.Position
	// parts are those of the path, behind what is before the entities.
	parts []string
	// filled is set where the path has values of variables, which no message shows.
	filled bool
	// body is empty for a request that deletes.
	body *tree.Node
}

// path returns the path, as faults show it.
func (r request) path() string {
	if r.filled {
		return r.shownPath()
	}
	return "/" + strings.Join(r.parts, "/")
}

// shownPath returns the path for a message: of its parts the collections. Everything else
// is an argument of a script, and may be a credential.
func (r request) shownPath() string {
	path := ""
	for i, part := range r.parts {
		if i%2 == 1 || !isCollection(part) {
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

// otherCollections are those of the Admin API and of Konnect in which nothing is read and
// nothing guards.
var otherCollections = map[string]bool{
	"upstreams": true, "targets": true, "certificates": true, "ca_certificates": true, "snis": true, "keys": true,
	"key-sets": true, "workspaces": true, "licenses": true, "filter-chains": true, "tags": true, "cache": true, "debug": true,
	"rbac": true, "admins": true, "event-hooks": true, "developers": true, "files": true, "clustering": true, "schemas": true,
	"timers": true, "v2": true, "v3": true,
}

// isCollection reports whether a part of a path is a collection.
func isCollection(part string) bool {
	return part == "plugins" || collections[part] != "" || credentialPaths[part] != "" || otherCollections[part]
}

// isRead reports whether the path is one of what is read. Scripts have requests to other
// servers, and to other entities: nothing in those can be wrong.
func (r request) isRead() bool {
	first, third := r.part(0), r.part(2)
	_, isCredential := r.credential()
	isEntity := func(part string) bool { return collections[part] != "" || part == "plugins" }
	switch {
	case len(r.parts) > 4:
		return false
	case len(r.parts) > 2:
		return isEntity(first) && (isEntity(third) || isCredential)
	default:
		return isEntity(first) || credentialPaths[first] != ""
	}
}

// credential returns the kind of credential that a request makes.
func (r request) credential() (format.Credential, bool) {
	if len(r.parts) < 3 || len(r.parts) > 4 || r.parts[0] != "consumers" {
		return format.Credential{}, false
	}
	return format.CredentialAt(r.parts[2])
}

// yield turns requests into entities and plugins. It gets all requests of a
// configuration: a consumer's credentials have requests of their own.
func yield(in *format.Input, requests []request) {
	requests = identified(run(in, requests))
	owned := format.Owned{}
	for _, r := range requests {
		if kind, ok := r.credential(); ok {
			owned.Add(r.parts[1], kind.List, r.called("id", kind.Fields[0]))
		}
	}
	for _, r := range requests {
		if _, ok := r.credential(); !ok {
			r.yield(in, owned)
		}
	}
}

// identified gives services and routes without a name an id, as the Admin API does. The id
// is the same whenever the script is read.
func identified(requests []request) []request {
	for i, r := range requests {
		collection, name := r.collection()
		if collection != "services" && collection != "routes" || name != "" || r.body.Kind != tree.Object || r.body.Has("id") || r.body.Has("name") {
			continue
		}
		id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%s#%d", r.pos.File, i))
		requests[i].body = r.body.With("id", format.StringAt(r.body.Pos, id.String()))
	}
	return requests
}

func (r request) yield(in *format.Input, owned format.Owned) {
	kind, name, nested := collections[r.part(0)], r.part(1), r.part(2)
	var scope config.Scope
	scope.SetPart(kind, name)
	switch {
	case r.part(0) == "plugins":
		in.AddPlugin(r.path(), r.called("id", "instance_name"), config.Scope{})
	case kind != "" && kind != format.KindVault && nested == "plugins":
		in.AddPlugin(r.path(), r.called("id", "instance_name"), scope)
	case kind == config.KindService && nested == "routes":
		in.Items = append(in.Items, format.Item{Kind: config.KindRoute, Path: r.path(), Node: r.called("id", "name"), Scope: scope})
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

// idPattern matches the ids of entities.
var idPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// called returns the body with what the path calls the entity, if the body has neither of
// the fields for its id and its name.
func (r request) called(id, name string) *tree.Node {
	_, given := r.collection()
	n := r.body
	if given == "" || n.Kind != tree.Object || n.Has(id) || n.Has(name) {
		return n
	}
	called := format.StringAt(n.Pos, given)
	called.Hidden = r.filled
	if idPattern.MatchString(given) {
		return n.With(id, called)
	}
	return n.With(name, called)
}

// entity returns the entity that a request makes. A request to its own path names it
// there.
func (r request) entity(kind string, owned format.Owned) *tree.Node {
	name := "name"
	switch kind {
	case config.KindConsumer:
		name = "username"
	case format.KindVault:
		name = "prefix"
	}
	n := r.called("id", name)
	if kind == config.KindConsumer {
		for _, name := range []string{"username", "id", "custom_id"} {
			n = owned.Given(n, n.Get(name).Str())
		}
	}
	return n
}
