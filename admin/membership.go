package admin

import (
	"net/http"
	"slices"

	"semlb/config/schema"
)

// membership answers requests for the consumers of a group, or for the groups of a
// consumer.
type membership struct {
	*resources
	// of is the kind in the path, members the kind of its members.
	of, members *kind
	// field is the field of a body that names a member.
	field string
}

// edge is a member, with the entity whose member it is.
type edge struct{ of, member *entity }

// parent returns the entity whose members a path leads to.
func (h *membership) parent(r *request) (*entity, error) { return h.resources.parent(r, h.of) }

// find returns the member that a path names.
func (h *membership) find(r *request) (edge, error) {
	parent, err := h.parent(r)
	if err != nil {
		return edge{}, err
	}
	s := h.store.snapshot().state
	member := s.find(h.members.name, r.PathValue("name"))
	if member == nil || !slices.Contains(s.members(parent), member) {
		return edge{}, notFound()
	}
	return edge{parent, member}, nil
}

// list answers with a page of the members.
func (h *membership) list(r *request, parent *entity) (response, error) {
	v := h.view(r)
	return v.page(r, v.snapshot.state.members(parent))
}

func (h *membership) get(r *request, e edge) (response, error) {
	return ok(h.view(r).entity(e.member))
}

// add makes the entity that the body names a member.
func (h *membership) add(r *request, parent *entity) (response, error) {
	name, err := h.readName(r)
	if err != nil {
		return response{}, err
	}
	var member *entity
	err = h.store.change(r.Context(), h.live, func(s *state) (edit, error) {
		if member = s.find(h.members.name, name); member == nil || s.get(h.of.name, parent.id()) == nil {
			return edit{}, notFound()
		}
		consumer, group := pair(parent, member)
		if !s.join(consumer, group) {
			return edit{}, uniqueViolation(object{"consumer": object{"id": consumer}, "consumer_group": object{"id": group}})
		}
		return edit{changed: true}, nil
	})
	if err != nil {
		return response{}, err
	}
	v := view{snapshot: h.store.snapshot()}
	body := object{"consumer_group": v.entity(parent), "consumers": []any{v.entity(member)}}
	if h.of.name == consumers {
		body = object{"consumer": v.entity(parent), "consumer_groups": []any{v.entity(member)}}
	}
	return response{http.StatusCreated, body}, nil
}

// readName returns the id or the key of a member, from a body that has it as a text or as
// an object.
func (h *membership) readName(r *request) (string, error) {
	member := objectOf(h.field, plainText)
	body, err := readBody(r, func(string) *schema.Field { return member })
	if err != nil {
		return "", err
	}
	name := text(body, h.field)
	if o, ok := body[h.field].(object); ok {
		name = firstText(o, "id", "name", "username")
	}
	if name == "" {
		return "", schemaViolation(wrong(missing, h.field))
	}
	return name, nil
}

// remove ends one membership.
func (h *membership) remove(r *request, e edge) (response, error) {
	return h.end(r, e.of, e.member)
}

// removeAll ends all memberships of the entity in the path.
func (h *membership) removeAll(r *request, parent *entity) (response, error) {
	return h.end(r, parent, h.store.snapshot().state.members(parent)...)
}

func (h *membership) end(r *request, parent *entity, members ...*entity) (response, error) {
	err := h.store.change(r.Context(), h.live, func(s *state) (edit, error) {
		var e edit
		for _, m := range members {
			if s.leave(pair(parent, m)) {
				e.changed = true
			}
		}
		return e, nil
	})
	return response{status: http.StatusNoContent}, err
}
