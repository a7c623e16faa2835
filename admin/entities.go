package admin

import (
	"maps"
	"net/http"
	"reflect"
)

// owner is the entity that a path goes through to a nested one.
type owner struct{ field, id string }

// target is the entity that a path names.
type target struct {
	name  string
	owner *owner
}

// shown returns an entity as answers have it: with Kong's defaults, every field
// there, and credentials masked unless they are to be revealed.
func (a *API) shown(s *snapshot, k *kind, e object, reveal bool) object {
	out := make(object, len(k.shape.fields))
	for name, field := range k.shape.fields {
		out[name] = field.fallback
	}
	delete(out, "url")
	maps.Copy(out, e)
	if p := s.plugins[text(e, "id")]; p != nil && k.name == plugins {
		out["config"] = overlay(encode(reflect.ValueOf(p.Settings)), e["config"])
	}
	if reveal {
		return out
	}
	masked, _ := k.shape.masked(out).(object)
	return masked
}

// collectionAnswer lists a collection or adds to it.
func (a *API) collectionAnswer(r *request, k *kind, o *owner) (answer, *failure) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s := a.current.Load()
		query := r.URL.Query()
		list := s.state.all(k.name, func(e object) bool {
			if o != nil {
				return refID(e, o.field) == o.id
			}
			return k.name != consumers || !query.Has("custom_id") || text(e, "custom_id") == query.Get("custom_id")
		})
		return a.page(r, s, k, list)
	case http.MethodPost:
		body, f := readBody(r.w, r.Request, k.shape)
		if f != nil {
			return answer{}, f
		}
		d := &draft{kind: k, body: body}
		d.own(o)
		return a.written(r, d, http.StatusCreated)
	default:
		return answer{}, notAllowed()
	}
}

func (d *draft) own(o *owner) {
	if o != nil {
		d.parent, d.owner = o.field, object{"id": o.id}
	}
}

func (a *API) written(r *request, d *draft, status int) (answer, *failure) {
	e, f := a.write(r.Context(), d)
	if f != nil {
		return answer{}, f
	}
	shown := a.shown(a.current.Load(), d.kind, e, r.reveals())
	for _, field := range d.generated {
		shown[field] = e[field] // this once: nobody could use it otherwise
	}
	return answer{status, shown}, nil
}

// entityAnswer answers for one entity.
func (a *API) entityAnswer(r *request, k *kind, t target) (answer, *failure) {
	s := a.current.Load()
	e, found := s.state.find(k, t.name)
	if found && t.owner != nil && refID(e, t.owner.field) != t.owner.id {
		found = false
		if r.Method == http.MethodPut {
			return answer{}, notFound() // it is another one's
		}
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if !found {
			return answer{}, notFound()
		}
		return ok(a.wrapped(s, k, e, r.reveals()))
	case http.MethodPatch:
		if !found {
			return answer{}, notFound()
		}
		return a.update(r, k, t, false)
	case http.MethodPut:
		return a.update(r, k, t, true)
	case http.MethodDelete:
		if !found && t.owner != nil {
			return answer{}, notFound()
		}
		return a.remove(r, k, t)
	default:
		return answer{}, notAllowed()
	}
}

// wrapped returns an entity as a request for it alone is answered: a group comes
// with its members.
func (a *API) wrapped(s *snapshot, k *kind, e object, reveal bool) any {
	shown := a.shown(s, k, e, reveal)
	if k.name != groups {
		return shown
	}
	members := []any{}
	for _, c := range s.state.members(k, text(e, "id")) {
		members = append(members, a.shown(s, a.kinds[consumers], c, reveal))
	}
	return object{"consumer_group": shown, "consumers": members}
}

// update changes an entity (PATCH), or puts it in the place of what is there (PUT).
func (a *API) update(r *request, k *kind, t target, replace bool) (answer, *failure) {
	body, f := readBody(r.w, r.Request, k.shape)
	if f != nil {
		return answer{}, f
	}
	d := &draft{kind: k, body: body, replace: replace}
	d.find = t.name
	if replace || t.owner != nil && body[t.owner.field] == nil {
		d.own(t.owner)
	}
	if replace && !isUUID(t.name) && body[k.key] == nil {
		body[k.key] = t.name
	}
	return a.written(r, d, http.StatusOK)
}

// remove deletes an entity. One that is not there is as good as deleted.
func (a *API) remove(r *request, k *kind, t target) (answer, *failure) {
	f := a.change(r.Context(), func(s *state) (edit, *failure) {
		e, found := s.find(k, t.name)
		if !found {
			return edit{}, nil
		}
		return edit{changed: true}, s.remove(a.kinds, k, text(e, "id"))
	})
	return answer{status: http.StatusNoContent}, f
}
