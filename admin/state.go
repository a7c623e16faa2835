package admin

import (
	"maps"
	"slices"
)

// state is a set of entities. Once a store holds it, neither it nor its entities change: a
// change is made to a clone.
type state struct {
	kinds       kinds
	collections map[string]*collection
	// groups are the ids of the groups of a consumer, sorted, by its id.
	groups map[string][]string
}

func newState(ks kinds) *state {
	s := &state{kinds: ks, collections: make(map[string]*collection, len(ks)), groups: map[string][]string{}}
	for _, k := range ks {
		s.collections[k.name] = newCollection(k, s)
	}
	return s
}

// clone returns a copy that can be changed. A collection is copied when it is changed
// for the first time.
func (s *state) clone() *state {
	return &state{kinds: s.kinds, collections: maps.Clone(s.collections), groups: maps.Clone(s.groups)}
}

// changeable returns a collection that belongs to this state alone.
func (s *state) changeable(kind string) *collection {
	c := s.collections[kind]
	if c.state != s {
		c = c.clone(s)
		s.collections[kind] = c
	}
	return c
}

func (s *state) put(e *entity) { s.changeable(e.kind.name).put(e) }

// get returns the entity of a kind with an id, or nil.
func (s *state) get(kind, id string) *entity { return s.collections[kind].byID[id] }

// find returns the entity of a kind that has a name as its id or as its key, or nil.
func (s *state) find(kind, name string) *entity {
	if e := s.get(kind, name); e != nil {
		return e
	}
	return s.withKey(kind, name)
}

// withKey returns the entity of a kind with a key, or nil.
func (s *state) withKey(kind, key string) *entity {
	if s.kinds.named(kind).key == "" {
		return nil
	}
	return s.keyed(kind, key)
}

// keyed returns the entity of a kind with a value of the constraint on the key, or nil.
func (s *state) keyed(kind, key string) *entity {
	if found := s.collections[kind].having(uniqueKey, key); len(found) > 0 {
		return found[0]
	}
	return nil
}

// all returns the entities of a kind in the order of their ids.
func (s *state) all(kind string) []*entity { return s.collections[kind].all() }

// children returns the entities of a kind that refer to a parent, in the order of
// their ids.
func (s *state) children(kind *kind, parent *entity) []*entity {
	i := kind.referenceTo(parent.kind)
	if i < 0 {
		return nil
	}
	return s.collections[kind.name].referring(i, parent.id())
}

// remove deletes an entity and what refers to it. It deletes nothing where a reference
// restricts that.
func (s *state) remove(e *entity) error {
	removed := []*entity{e}
	for _, k := range s.kinds {
		children := s.children(k, e)
		if len(children) > 0 && k.references[k.referenceTo(e.kind)].restrict {
			return stillReferenced(e.kind.name, k.name)
		}
		removed = append(removed, children...)
	}
	for _, m := range s.members(e) {
		s.leave(pair(e, m))
	}
	for _, d := range removed {
		s.changeable(d.kind.name).remove(d.id())
	}
	return nil
}

// members returns the consumers of a group or the groups of a consumer, in the order of
// their ids. Entities of other kinds have none.
func (s *state) members(e *entity) []*entity {
	switch e.kind.name {
	case consumers:
		return s.collections[groups].withIDs(s.groups[e.id()])
	case groups:
		var ids []string
		for consumer, list := range s.groups {
			if _, found := slices.BinarySearch(list, e.id()); found {
				ids = append(ids, consumer)
			}
		}
		return s.collections[consumers].withIDs(ids)
	default:
		return nil
	}
}

// pair returns the ids of a consumer and a group, given in either order.
func pair(a, b *entity) (consumer, group string) {
	if a.kind.name == groups {
		a, b = b, a
	}
	return a.id(), b.id()
}

// redact returns a copy whose entities have their credentials redacted.
func (s *state) redact() *state {
	c := newState(s.kinds)
	c.groups = s.groups
	for _, k := range s.kinds {
		for _, e := range s.all(k.name) {
			c.put(e.redact())
		}
	}
	return c
}

// join puts a consumer into a group, and reports whether it was not in it.
func (s *state) join(consumer, group string) bool {
	list := s.groups[consumer]
	i, found := slices.BinarySearch(list, group)
	if !found {
		s.groups[consumer] = slices.Insert(slices.Clone(list), i, group)
	}
	return !found
}

// leave takes a consumer out of a group, and reports whether it was in it.
func (s *state) leave(consumer, group string) bool {
	list := s.groups[consumer]
	i, found := slices.BinarySearch(list, group)
	if found {
		s.groups[consumer] = slices.Delete(slices.Clone(list), i, i+1)
	}
	return found
}
