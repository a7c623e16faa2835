package admin

// parseState reads what render wrote. It reports false for any other file, which may
// still be a configuration.
func parseState(data []byte, ks kinds) (*state, bool) {
	v, err := parseJSON(data)
	root, ok := v.(object)
	if err != nil || !ok {
		return nil, false
	}
	p := parser{state: newState(ks), groups: map[string]any{}}
	for _, k := range ks {
		if k.owner() == nil && !p.list(root, k, p.entity) {
			return nil, false
		}
	}
	delete(root, "_format_version")
	return p.state, len(root) == 0 && p.join()
}

// parser fills a state from a decK file.
type parser struct {
	state *state
	// groups are the lists of groups that consumers have, by the consumers' ids.
	groups map[string]any
}

// list takes a list of entities out of an object. It reports false where one of them is
// nothing that render writes.
func (p parser) list(from object, k *kind, add func(*entity) bool) bool {
	list, _ := from[k.name].([]any)
	delete(from, k.name)
	for _, v := range list {
		fields, _ := v.(object)
		if e := (&entity{kind: k, fields: fields}); !isUUID(e.id()) || !add(e) {
			return false
		}
	}
	return true
}

func (p parser) entity(e *entity) bool {
	switch e.kind.name {
	case plugins:
		p.readReferences(e)
	case consumers:
		for _, k := range p.state.kinds.owned(e.kind) {
			if !p.list(e.fields, k, func(c *entity) bool { return p.credential(c, e) }) {
				return false
			}
		}
		p.groups[e.id()] = e.fields["groups"]
		delete(e.fields, "groups")
	}
	return p.put(e)
}

// credential adds a credential of a consumer.
func (p parser) credential(c, consumer *entity) bool {
	c.fields[c.kind.owner().field] = consumer.foreignKey()
	return p.put(c)
}

// put adds an entity, and reports whether it has no fields but those of its kind.
func (p parser) put(e *entity) bool {
	p.state.put(e)
	for name := range e.fields {
		if e.kind.fields.Fields[name] == nil {
			return false
		}
	}
	return true
}

// readReferences reads the references of a plugin, which decK writes as plain texts.
func (p parser) readReferences(e *entity) {
	for _, r := range e.kind.references {
		name, ok := e.fields[r.field].(string)
		if !ok {
			continue
		}
		e.fields[r.field] = object{"name": name}
		if p.state.get(r.to, name) != nil {
			e.fields[r.field] = object{"id": name}
		}
	}
}

// join puts consumers into their groups, and reports whether all of these are there.
func (p parser) join() bool {
	for consumer, v := range p.groups {
		list, _ := v.([]any)
		for _, v := range list {
			o, _ := v.(object)
			group := p.state.withKey(groups, text(o, "name"))
			if group == nil {
				return false
			}
			p.state.join(consumer, group.id())
		}
	}
	return true
}
