package admin

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
)

// state is a set of entities. It and its entities are never changed once they can
// be seen: changes are made to a copy.
type state struct {
	// entities are the objects by kind and id.
	entities map[string]map[string]object
	// groups are the ids of the groups of a consumer, by its id.
	groups map[string][]string
}

func newState() *state {
	s := &state{entities: map[string]map[string]object{}, groups: map[string][]string{}}
	for _, name := range kindOrder() {
		s.entities[name] = map[string]object{}
	}
	return s
}

// clone returns a copy whose sets can be changed.
func (s *state) clone() *state {
	c := &state{entities: make(map[string]map[string]object, len(s.entities)), groups: maps.Clone(s.groups)}
	for name, set := range s.entities {
		c.entities[name] = maps.Clone(set)
	}
	return c
}

// isUUID reports whether a text is an id.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hexadecimal := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if dash && c != '-' || !dash && !hexadecimal {
			return false
		}
	}
	return true
}

// newUUID returns a random UUID of version 4.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return formatUUID(b, 4)
}

func formatUUID(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// find returns the entity of a kind that is called by an id or by its key.
func (s *state) find(k *kind, name string) (object, bool) {
	if e, ok := s.entities[k.name][name]; ok {
		return e, true
	}
	if name == "" {
		return nil, false
	}
	for _, e := range s.entities[k.name] {
		if text(e, k.key) == name {
			return e, true
		}
	}
	return nil, false
}

// all returns the entities of a kind that are accepted, by their ids.
func (s *state) all(kind string, accept func(object) bool) []object {
	var list []object
	for _, e := range s.entities[kind] {
		if accept == nil || accept(e) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b object) int { return cmp.Compare(text(a, "id"), text(b, "id")) })
	return list
}

// refID returns the id that a field refers to, or "".
func refID(e object, field string) string {
	o, _ := e[field].(object)
	return text(o, "id")
}

// remove deletes an entity with all that cannot be without it. Where something
// must not be deleted with it, it says so and deletes nothing.
func (s *state) remove(kinds map[string]*kind, k *kind, id string) *failure {
	children := func(each func(child *kind, r ref, e object)) {
		for _, name := range kindOrder() {
			r, ok := kinds[name].refTo(k.name)
			if !ok {
				continue
			}
			for _, e := range s.all(name, func(e object) bool { return refID(e, r.field) == id }) {
				each(kinds[name], r, e)
			}
		}
	}
	var f *failure
	children(func(child *kind, r ref, _ object) {
		if r.restrict {
			f = referenced(k.name, child.name)
		}
	})
	if f != nil {
		return f
	}
	children(func(child *kind, _ ref, e object) { delete(s.entities[child.name], text(e, "id")) })
	delete(s.entities[k.name], id)
	switch k.name {
	case consumers:
		delete(s.groups, id)
	case groups:
		for consumer := range s.groups {
			s.leave(consumer, id)
		}
	}
	return nil
}

// join puts a consumer into a group, and reports whether it was not in it.
func (s *state) join(consumer, group string) bool {
	list := s.groups[consumer]
	if slices.Contains(list, group) {
		return false
	}
	list = append(slices.Clone(list), group)
	slices.Sort(list)
	s.groups[consumer] = list
	return true
}

// leave takes a consumer out of a group, and reports whether it was in it.
func (s *state) leave(consumer, group string) bool {
	i := slices.Index(s.groups[consumer], group)
	if i < 0 {
		return false
	}
	s.groups[consumer] = slices.Delete(slices.Clone(s.groups[consumer]), i, i+1)
	return true
}

// members returns the consumers of a group, or the groups of a consumer.
func (s *state) members(parent *kind, id string) []object {
	if parent.name == groups {
		return s.all(consumers, func(e object) bool { return slices.Contains(s.groups[text(e, "id")], id) })
	}
	return s.all(groups, func(e object) bool { return slices.Contains(s.groups[id], text(e, "id")) })
}
