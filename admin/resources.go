package admin

import (
	"cmp"
	"net/http"
	"slices"

	"semlb/config/schema"
)

// resources answers requests for entities.
type resources struct {
	store *store
	live  Live
}

// parent returns the entity that a request's path goes through.
func (h *resources) parent(r *request, k *kind) (*entity, error) {
	if e := h.store.snapshot().state.find(k.name, r.PathValue("parent")); e != nil {
		return e, nil
	}
	return nil, notFound()
}

// referred returns the entity that the one in a request's path refers to.
func (h *resources) referred(r *request, k *kind, ref reference) (target, error) {
	s := h.store.snapshot().state
	if e := s.find(k.name, r.PathValue("name")); e != nil {
		if id := referencedID(e.fields, ref.field); id != "" {
			return target{scope{kind: s.kinds.named(ref.to)}, id}, nil
		}
	}
	return target{}, notFound()
}

// list answers with a page of a collection.
func (h *resources) list(r *request, c scope) (response, error) {
	v := h.view(r)
	s, query := v.snapshot.state, r.URL.Query()
	switch {
	case c.parent != nil:
		return v.page(r, s.children(c.kind, c.parent))
	case c.kind.name == consumers && query.Has("custom_id"):
		return v.page(r, slices.DeleteFunc(s.all(consumers), func(e *entity) bool { return e.text("custom_id") != query.Get("custom_id") }))
	default:
		return v.page(r, s.all(c.kind.name))
	}
}

// create adds an entity to a collection.
func (h *resources) create(r *request, c scope) (response, error) {
	body, err := readBody(r, c.kind.fieldsOf)
	if err != nil {
		return response{}, err
	}
	return h.write(r, upsert{scope: c, body: body}, http.StatusCreated)
}

// find returns the entity of a target, or nil.
func (t target) find(s *state) *entity {
	e := t.named(s, t.name)
	if e == nil || t.parent != nil && referencedID(e.fields, t.field) != t.parent.id() {
		return nil
	}
	return e
}

func (h *resources) get(r *request, t target) (response, error) {
	v := h.view(r)
	e := t.find(v.snapshot.state)
	if e == nil {
		return response{}, notFound()
	}
	return ok(v.single(e))
}

// patch changes an entity.
func (h *resources) patch(r *request, t target) (response, error) {
	e := t.find(h.store.snapshot().state)
	if e == nil {
		return response{}, notFound()
	}
	body, err := readBody(r, func(name string) *schema.Field { return t.kind.fieldsOf(cmp.Or(name, e.text("name"))) })
	if err != nil {
		return response{}, err
	}
	if t.parent != nil && body[t.field] != nil {
		t.parent = nil // the client moves the entity to another parent
	}
	return h.write(r, upsert{scope: t.scope, name: e.id(), body: body}, http.StatusOK)
}

// put replaces an entity, or creates it.
func (h *resources) put(r *request, t target) (response, error) {
	s := h.store.snapshot().state
	if t.named(s, t.name) != nil && t.find(s) == nil {
		return response{}, notFound() // the entity has another parent
	}
	body, err := readBody(r, t.kind.fieldsOf)
	if err != nil {
		return response{}, err
	}
	if key := cmp.Or(t.kind.key, t.kind.localKey); !isUUID(t.name) && body[key] == nil {
		body[key] = t.name
	}
	return h.write(r, upsert{scope: t.scope, name: t.name, replace: true, body: body}, http.StatusOK)
}

// remove deletes an entity. At the top, deleting one that does not exist succeeds.
func (h *resources) remove(r *request, t target) (response, error) {
	if t.parent != nil && t.find(h.store.snapshot().state) == nil {
		return response{}, notFound()
	}
	err := h.store.change(r.Context(), h.live, func(s *state) (edit, error) {
		e := t.named(s, t.name)
		if e == nil {
			return edit{}, nil
		}
		return edit{changed: true}, s.remove(e)
	})
	return response{status: http.StatusNoContent}, err
}

// write stores the entity of an upsert and answers with it.
func (h *resources) write(r *request, u upsert, status int) (response, error) {
	var d *draft
	err := h.store.change(r.Context(), h.live, func(s *state) (edit, error) {
		var err error
		if d, err = u.draft(s); err != nil {
			return edit{}, err
		}
		e := edit{changed: true, written: d.entity, violations: d.violations, conflict: s.conflict(d.entity)}
		s.put(d.entity)
		return e, nil
	})
	if err != nil {
		return response{}, err
	}
	shown := h.view(r).entity(d.entity)
	for _, field := range d.generated {
		shown[field] = d.fields[field] // clients can read it in this response only
	}
	return response{status, shown}, nil
}

func (h *resources) view(r *request) view { return view{h.store.snapshot(), r.reveals()} }
