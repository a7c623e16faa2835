package admin

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
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

const (
	defaultPage = 100
	maxPage     = 1000
)

// page answers with a part of a list, which is in the order of the ids.
func (a *API) page(r *request, s *snapshot, k *kind, list []object) (answer, *failure) {
	query := r.URL.Query()
	list, f := tagged(list, query["tags"])
	if f != nil {
		return answer{}, f
	}
	list, next, f := cut(list, query, func(e object) string { return text(e, "id") })
	if f != nil {
		return answer{}, f
	}
	data := make([]any, 0, len(list))
	for _, e := range list {
		data = append(data, a.shown(s, k, e, r.reveals()))
	}
	return ok(r.paged(data, next))
}

// cut returns the part of a sorted list that a query asks for, and the offset of
// what follows, which is empty at the end. Offsets stay good when the list changes.
func cut(list []object, query url.Values, id func(object) string) ([]object, string, *failure) {
	size := defaultPage
	if given := query.Get("size"); query.Has("size") {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > maxPage {
			return nil, "", &failure{
				status: http.StatusBadRequest, code: codeInvalidSize, name: "invalid size",
				message: fmt.Sprintf("size must be an integer between 1 and %d", maxPage),
			}
		}
		size = n
	}
	if offset := query.Get("offset"); offset != "" {
		after, err := base64.RawURLEncoding.DecodeString(offset)
		if err != nil || !isUUID(string(after)) {
			return nil, "", &failure{
				status: http.StatusBadRequest, code: codeInvalidOffset, name: "invalid offset",
				message: strconv.Quote(offset) + " is not a valid offset",
			}
		}
		i, found := slices.BinarySearchFunc(list, string(after), func(e object, after string) int {
			return strings.Compare(id(e), after)
		})
		if found {
			i++
		}
		list = list[i:]
	}
	if len(list) <= size {
		return list, "", nil
	}
	list = list[:size]
	return list, base64.RawURLEncoding.EncodeToString([]byte(id(list[size-1]))), nil
}

// paged returns a page with the address of the next one.
func (r *request) paged(data []any, offset string) object {
	body := object{"data": data, "next": nil}
	if offset == "" {
		return body
	}
	query := url.Values{"offset": {offset}}
	for _, name := range []string{"size", "tags"} {
		if v := r.URL.Query().Get(name); v != "" {
			query.Set(name, v)
		}
	}
	path := r.prefix
	for _, segment := range r.path {
		path += "/" + url.PathEscape(segment)
	}
	body["offset"], body["next"] = offset, path+"?"+query.Encode()
	return body
}

// tagged returns the entities with all of the tags "a,b", or any of "a/b".
func tagged(list []object, given []string) ([]object, *failure) {
	if len(given) == 0 {
		return list, nil
	}
	every, either := strings.Contains(given[0], ","), strings.Contains(given[0], "/")
	if given[0] == "" || every && either {
		return nil, &failure{
			status: http.StatusBadRequest, code: codeInvalidOptions, name: "invalid options",
			message: "invalid option (tags: invalid filter syntax)", fields: object{"tags": "invalid filter syntax"},
		}
	}
	want := strings.FieldsFunc(given[0], func(r rune) bool { return r == ',' || r == '/' })
	return slices.DeleteFunc(slices.Clone(list), func(e object) bool {
		tags, _ := e["tags"].([]any)
		has := func(tag string) bool { return slices.Contains(tags, any(tag)) }
		if either {
			return !slices.ContainsFunc(want, has)
		}
		return slices.ContainsFunc(want, func(tag string) bool { return !has(tag) })
	}), nil
}
