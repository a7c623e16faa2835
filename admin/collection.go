package admin

import "slices"

// index finds entities by a value: it has the ids of those with each value.
type index map[string][]string

func (x index) add(value, id string) {
	if value != "" {
		x[value] = append(x[value], id)
	}
}

func (x index) remove(value, id string) {
	ids := x[value]
	i := slices.Index(ids, id)
	switch {
	case i < 0:
	case len(ids) == 1:
		delete(x, value)
	default:
		x[value] = slices.Delete(ids, i, i+1)
	}
}

func (x index) clone() index {
	c := make(index, len(x))
	for value, ids := range x {
		c[value] = slices.Clone(ids)
	}
	return c
}

// collection holds the entities of one kind, with an index for each of its constraints
// and each of its references.
type collection struct {
	kind *kind
	// state is the only one that may change the collection. Later states share it.
	state *state
	byID  map[string]*entity
	// unique are the indexes of kind.unique, references those of kind.references.
	unique, references []index
}

func newCollection(k *kind, s *state) *collection {
	c := &collection{kind: k, state: s, byID: map[string]*entity{}}
	for range k.unique {
		c.unique = append(c.unique, index{})
	}
	for range k.references {
		c.references = append(c.references, index{})
	}
	return c
}

// clone returns a copy that a state may change.
func (c *collection) clone(s *state) *collection {
	n := &collection{kind: c.kind, state: s, byID: make(map[string]*entity, len(c.byID)+1)}
	for id, e := range c.byID {
		n.byID[id] = e
	}
	for _, x := range c.unique {
		n.unique = append(n.unique, x.clone())
	}
	for _, x := range c.references {
		n.references = append(n.references, x.clone())
	}
	return n
}

// put stores an entity, in the place of one with the same id.
func (c *collection) put(e *entity) {
	c.remove(e.id())
	c.byID[e.id()] = e
	for i, constraint := range c.kind.unique {
		c.unique[i].add(constraint.value(e), e.id())
	}
	for i, r := range c.kind.references {
		c.references[i].add(referencedID(e.fields, r.field), e.id())
	}
}

func (c *collection) remove(id string) {
	e, stored := c.byID[id]
	if !stored {
		return
	}
	delete(c.byID, id)
	for i, constraint := range c.kind.unique {
		c.unique[i].remove(constraint.value(e), id)
	}
	for i, r := range c.kind.references {
		c.references[i].remove(referencedID(e.fields, r.field), id)
	}
}

// all returns the entities in the order of their ids.
func (c *collection) all() []*entity {
	ids := make([]string, 0, len(c.byID))
	for id := range c.byID {
		ids = append(ids, id)
	}
	return c.withIDs(ids)
}

// withIDs returns entities in the order of their ids.
func (c *collection) withIDs(ids []string) []*entity {
	list := make([]*entity, len(ids))
	for i, id := range slices.Sorted(slices.Values(ids)) {
		list[i] = c.byID[id]
	}
	return list
}

// having returns the entities with a value of a constraint.
func (c *collection) having(constraint int, value string) []*entity {
	return c.withIDs(c.unique[constraint][value])
}

// referring returns the entities that refer to an id.
func (c *collection) referring(reference int, id string) []*entity {
	return c.withIDs(c.references[reference][id])
}
