package admin

// uniqueKey is the index in kind.unique of the constraint on a kind's key.
const uniqueKey = 0

// The indices of a consumer's constraints.
const (
	uniqueUsername = iota
	uniqueCustomID
)

// of returns the fields of a constraint, those that are not set as null.
func (c constraint) of(e *entity) object {
	o := make(object, len(c))
	for _, field := range c {
		o[field] = e.fields[field]
	}
	return o
}

// value returns what the constraint compares. It is empty where the constraint is on a
// single field that is not set.
func (c constraint) value(e *entity) string {
	if len(c) == 1 {
		return e.text(c[0])
	}
	return luaText(c.of(e))
}

// conflict returns an error if another entity has what must be unique of e.
func (s *state) conflict(e *entity) error {
	others := s.collections[e.kind.name]
	for i, c := range e.kind.unique {
		if others.taken(i, c.value(e), e.id()) {
			key, _ := redact(e.described(), c.of(e)).(object)
			return uniqueViolation(key)
		}
	}
	if e.kind.name != consumers {
		return nil
	}
	// Files refer to a consumer by either of these, so that both share one set of names.
	for field, other := range map[string]int{"username": uniqueCustomID, "custom_id": uniqueUsername} {
		if others.taken(other, e.text(field), e.id()) {
			return uniqueViolation(object{field: e.text(field)})
		}
	}
	return nil
}

// taken reports whether an entity other than the one with an id has a value of a
// constraint.
func (c *collection) taken(constraint int, value, id string) bool {
	ids := c.unique[constraint][value]
	return len(ids) > 1 || len(ids) == 1 && ids[0] != id
}
