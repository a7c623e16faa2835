package admin

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// scope is a collection: all entities of a kind, or those that refer to a parent.
type scope struct {
	kind *kind
	// parent is nil at the top; field refers to it.
	parent *entity
	field  string
}

// named returns the entity that a name in a path means, which may be one of another
// parent; nil where there is none.
func (c scope) named(s *state, name string) *entity {
	e := s.find(c.kind.name, name)
	if e == nil && c.parent != nil && c.kind.localKey != "" {
		key := &entity{kind: c.kind, fields: object{c.field: c.parent.foreignKey(), c.kind.localKey: name}}
		e = s.keyed(c.kind.name, c.kind.unique[uniqueKey].value(key))
	}
	return e
}

// target is an entity in a collection, by its id or its key.
type target struct {
	scope
	name string
}

// methods are the handlers of a path by the methods of requests.
type methods map[string]handler

// The Allow header of paths that can only be read, and of those that only check.
const (
	readMethods  = "GET, HEAD, OPTIONS"
	checkMethods = "OPTIONS, POST"
)

// allow returns the methods as the Allow header lists them, with those that every path
// has.
func (m methods) allow() string {
	names := slices.Collect(maps.Keys(m))
	if slices.Contains(names, "GET") {
		names = append(names, "HEAD")
	}
	return strings.Join(slices.Sorted(slices.Values(append(names, "OPTIONS"))), ", ")
}

func newServer(a *API, live Live) *server {
	s := &server{
		guard: a.guard, slots: a.slots, mux: http.NewServeMux(), kinds: a.store.kinds, writes: a.writes, log: a.options.Log,
	}
	s.handle("/", fails(notFound))
	s.routeInformation(&information{api: a, live: live})
	s.routeSchemas(&schemas{store: a.store, live: live})
	res := &resources{store: a.store, live: live}
	for _, k := range s.kinds {
		s.routeKind(res, k)
	}
	s.routeMembers(&membership{resources: res, of: s.kinds.named(groups), members: s.kinds.named(consumers), field: "consumer"})
	s.routeMembers(&membership{resources: res, of: s.kinds.named(consumers), members: s.kinds.named(groups), field: "group"})
	return s
}

// route registers the handlers of a path, and the one of all other methods.
func (s *server) route(path string, m methods, other handler) {
	for method, h := range m {
		s.handle(method+" "+path, h)
	}
	s.handle(path, allowing(m.allow(), other))
}

// allowing returns h for a path with some methods only, which a 405 of h lists.
func allowing(allow string, h handler) handler {
	return func(r *request) (response, error) {
		r.allow = allow
		return h(r)
	}
}

// fails returns a handler that answers with an error.
func fails(err func() error) handler {
	return func(*request) (response, error) { return response{}, err() }
}

// routeInformation routes what is not about single entities.
func (s *server) routeInformation(i *information) {
	for path, h := range map[string]handler{
		"/{$}": i.root, "/status": i.status, "/config": i.export, "/tags": i.tags, "/tags/{tag}": i.tags,
	} {
		s.route(path, methods{"GET": h}, fails(notAllowed))
	}
	s.handle("GET /plugins/enabled", i.enabled)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} { // of the plugin that would have this name
		s.handle(method+" /plugins/enabled", allowing(readMethods, fails(notAllowed)))
	}
}

func (s *server) routeSchemas(h *schemas) {
	s.handle("GET /schemas/{kind}", h.entity)
	s.handle("GET /schemas/plugins/{plugin}", h.plugin)
	s.handle("POST /schemas/{kind}/validate", h.validate)
	s.handle("/schemas/{rest...}", h.unknown)
	s.handle("/schemas", fails(notFound)) // the mux would redirect it to /schemas/
}

// routeKind routes the collection of a kind, its collections below the kinds that it
// refers to, and these references themselves.
func (s *server) routeKind(res *resources, k *kind) {
	top := scope{kind: k}
	s.routeCollection(res, "/"+k.path, func(*request) (scope, error) { return top, nil })
	for _, r := range k.references {
		parent := s.kinds.named(r.to)
		s.routeCollection(res, "/"+parent.path+"/{parent}/"+k.nested, func(req *request) (scope, error) {
			e, err := res.parent(req, parent)
			return scope{kind: k, parent: e, field: r.field}, err
		})
		referred := func(req *request) (target, error) { return res.referred(req, k, r) }
		s.routeEntities(res, "/"+k.path+"/{name}/"+r.field, methods{
			"GET": with(referred, res.get), "PUT": with(referred, res.put), "PATCH": with(referred, res.patch),
		}, with(referred, refuse))
	}
	if res.store.readOnly() {
		s.routeRefusals(k)
	}
}

// routeCollection routes a collection at a path, and its elements.
func (s *server) routeCollection(res *resources, path string, find func(*request) (scope, error)) {
	element := func(r *request) (target, error) {
		c, err := find(r)
		return target{c, r.PathValue("name")}, err
	}
	s.routeEntities(res, path, methods{
		"GET": with(find, res.list), "POST": with(find, res.create),
	}, with(find, refuse))
	s.routeEntities(res, path+"/{name}", methods{
		"GET": with(element, res.get), "PUT": with(element, res.put), "PATCH": with(element, res.patch), "DELETE": with(element, res.remove),
	}, with(element, refuse))
}

// routeMembers routes one side of the membership of consumers in groups.
func (s *server) routeMembers(m *membership) {
	path := "/" + m.of.path + "/{parent}/" + m.members.nested
	s.routeEntities(m.resources, path, methods{
		"GET": with(m.parent, m.list), "POST": with(m.parent, m.add), "DELETE": with(m.parent, m.removeAll),
	}, with(m.parent, refuse))
	s.routeEntities(m.resources, path+"/{name}", methods{
		"GET": with(m.find, m.get), "DELETE": with(m.find, m.remove),
	}, with(m.find, refuse))
}

// with returns a handler that finds what the path of a request leads to, before it handles
// the request.
func with[T any](find func(*request) (T, error), handle func(*request, T) (response, error)) handler {
	return func(r *request) (response, error) {
		found, err := find(r)
		if err != nil {
			return response{}, err
		}
		return handle(r, found)
	}
}

// refuse answers requests with a method that a path does not have.
func refuse[T any](*request, T) (response, error) { return response{}, notAllowed() }

// routeEntities routes a path of entities. In a read-only API it routes GET only, and
// leaves the others to routeRefusals.
func (s *server) routeEntities(res *resources, path string, m methods, other handler) {
	if res.store.readOnly() {
		s.handle("GET "+path, m["GET"])
		return
	}
	s.route(path, m, other)
}

// routeRefusals refuses, in a read-only API, every write to entities of a kind, and to
// what is below them.
func (s *server) routeRefusals(k *kind) {
	refuse := func(r *request) (response, error) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return response{}, notFound()
		}
		return response{}, readOnly(r.Method, k)
	}
	for _, below := range []string{"", "/{name}", "/{name}/{nested}", "/{name}/{nested}/{element}"} {
		s.handle("/"+k.path+below, allowing(readMethods, refuse))
	}
}
