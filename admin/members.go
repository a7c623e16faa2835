package admin

import "net/http"

// isMembership reports whether a path goes from groups to their consumers, or from
// consumers to their groups.
func isMembership(parent *kind, name string) bool {
	return parent.name == groups && name == consumers || parent.name == consumers && name == groups
}

// membership answers for the consumers of a group, or the groups of a consumer.
func (a *API) membership(r *request, parent *kind, p object) (answer, *failure) {
	other := a.kinds[consumers]
	if parent.name == consumers {
		other = a.kinds[groups]
	}
	if len(r.path) == 4 {
		return a.member(r, parent, p, other)
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s := a.current.Load()
		return a.page(r, s, other, s.state.members(parent, text(p, "id")))
	case http.MethodPost:
		return a.join(r, parent, p, other)
	case http.MethodDelete:
		return a.part(r, parent, p, a.current.Load().state.members(parent, text(p, "id")))
	default:
		return answer{}, notAllowed()
	}
}

// member answers for one of them.
func (a *API) member(r *request, parent *kind, p object, other *kind) (answer, *failure) {
	s := a.current.Load()
	e, found := s.state.find(other, r.path[3])
	if found {
		found = false
		for _, m := range s.state.members(parent, text(p, "id")) {
			found = found || m["id"] == e["id"]
		}
	}
	switch {
	case !found:
		return answer{}, notFound()
	case r.Method == http.MethodDelete:
		return a.part(r, parent, p, []object{e})
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return ok(a.shown(s, other, e, r.reveals()))
	default:
		return answer{}, notAllowed()
	}
}

// pair returns the ids of a consumer and a group, whichever comes first.
func pair(parent *kind, p, e object) (consumer, group string) {
	if parent.name == groups {
		p, e = e, p
	}
	return text(p, "id"), text(e, "id")
}

// join puts a consumer into a group. The body names the other one of the two.
func (a *API) join(r *request, parent *kind, p object, other *kind) (answer, *failure) {
	field := "consumer"
	if other.name == groups {
		field = "group"
	}
	body, f := readBody(r.w, r.Request, &shape{typ: "record", fields: map[string]*shape{field: str()}})
	if f != nil {
		return answer{}, f
	}
	name := text(body, field)
	if o, ok := body[field].(object); ok {
		name = firstText(o, "id", "name", "username")
	}
	if name == "" {
		return answer{}, schemaViolation([]violation{wrong(missing, field)})
	}
	f = a.change(r.Context(), func(s *state) (edit, *failure) {
		e, found := s.find(other, name)
		if !found || s.entities[parent.name][text(p, "id")] == nil {
			return edit{}, notFound()
		}
		consumer, group := pair(parent, p, e)
		if !s.join(consumer, group) {
			return edit{}, uniqueViolation(object{"consumer": object{"id": consumer}, "consumer_group": object{"id": group}})
		}
		return edit{changed: true}, nil
	})
	if f != nil {
		return answer{}, f
	}
	s := a.current.Load()
	e, _ := s.state.find(other, name)
	joined := []any{a.shown(s, other, e, false)}
	first := a.shown(s, parent, p, false)
	if other.name == groups {
		return answer{http.StatusCreated, object{"consumer": first, "consumer_groups": joined}}, nil
	}
	return answer{http.StatusCreated, object{"consumer_group": first, "consumers": joined}}, nil
}

// part ends memberships.
func (a *API) part(r *request, parent *kind, p object, members []object) (answer, *failure) {
	f := a.change(r.Context(), func(s *state) (edit, *failure) {
		var e edit
		for _, m := range members {
			consumer, group := pair(parent, p, m)
			left := s.leave(consumer, group)
			e.changed = e.changed || left
		}
		return e, nil
	})
	return answer{status: http.StatusNoContent}, f
}
