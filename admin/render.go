package admin

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"semlb/config"
)

// entityID names an entity.
type entityID struct{ kind, id string }

// document is a state as a decK file.
type document struct {
	data []byte
	// at tells which entity is at a path, such as "consumers[0].jwt_secrets[1]".
	at map[string]entityID
}

// render writes a state as one decK file in JSON.
func (s *state) render(kinds map[string]*kind) document {
	d := document{at: map[string]entityID{}}
	root := object{"_format_version": "3.0"}
	for _, name := range []string{services, routes, consumers, groups, plugins} {
		var list []any
		for i, e := range s.all(name, nil) {
			at := fmt.Sprintf("%s[%d]", name, i)
			d.at[at] = entityID{name, text(e, "id")}
			list = append(list, s.rendered(kinds, d, at, name, e))
		}
		if list != nil {
			root[kinds[name].deck] = list
		}
	}
	// A template is filled in before JSON is read; what a client wrote is none.
	d.data = bytes.ReplaceAll(toJSON(root, " "), []byte("${{"), []byte(`$\u007b{`))
	return d
}

// rendered returns an entity as a decK file has it.
func (s *state) rendered(kinds map[string]*kind, d document, at, name string, e object) object {
	out := maps.Clone(e)
	switch name {
	case plugins:
		for _, r := range kinds[plugins].refs {
			if target, ok := e[r.field].(object); ok {
				out[r.field] = firstText(target, "id", "name", "username")
			}
		}
	case consumers:
		for _, k := range kinds {
			if !k.credential() {
				continue
			}
			var list []any
			for i, c := range s.all(k.name, func(c object) bool { return refID(c, "consumer") == e["id"] }) {
				d.at[fmt.Sprintf("%s.%s[%d]", at, k.deck, i)] = entityID{k.name, text(c, "id")}
				c = maps.Clone(c)
				delete(c, "consumer")
				list = append(list, c)
			}
			if list != nil {
				out[k.deck] = list
			}
		}
		var list []any
		for _, g := range s.groups[text(e, "id")] {
			list = append(list, object{"name": text(s.entities[groups][g], "name")})
		}
		if list != nil {
			out["groups"] = list
		}
	}
	return out
}

func firstText(o object, names ...string) string {
	for _, name := range names {
		if t := text(o, name); t != "" {
			return t
		}
	}
	return ""
}

// owner returns the entity that a path lies in, and the rest of the path.
func (d document) owner(path string) (entityID, string) {
	best := ""
	for at := range d.at {
		if len(at) > len(best) && (path == at || strings.HasPrefix(path, at+".")) {
			best = at
		}
	}
	return d.at[best], strings.TrimPrefix(strings.TrimPrefix(path, best), ".")
}

// parseState reads what render wrote. It reports false for any other file, which
// may still be a configuration.
func parseState(data []byte, kinds map[string]*kind) (*state, bool) {
	v, err := parseJSON(data)
	root, ok := v.(object)
	if err != nil || !ok {
		return nil, false
	}
	s := newState()
	names := map[string]string{} // of groups, to their ids
	for _, name := range []string{services, routes, groups, consumers, plugins} {
		list, _ := root[kinds[name].deck].([]any)
		for _, v := range list {
			e, _ := v.(object)
			if !s.parseEntity(kinds, names, name, e) {
				return nil, false
			}
		}
		delete(root, kinds[name].deck)
	}
	delete(root, "_format_version")
	return s, len(root) == 0
}

func (s *state) parseEntity(kinds map[string]*kind, names map[string]string, name string, e object) bool {
	id := text(e, "id")
	if !isUUID(id) {
		return false
	}
	switch name {
	case groups:
		names[text(e, "name")] = id
	case plugins:
		for _, r := range kinds[plugins].refs {
			target, ok := e[r.field].(string)
			if !ok {
				continue
			}
			e[r.field] = object{"name": target}
			if _, known := s.entities[r.kind][target]; known {
				e[r.field] = object{"id": target}
			}
		}
	case consumers:
		if !s.parseConsumer(kinds, names, id, e) {
			return false
		}
	}
	s.entities[name][id] = e
	return len(unknown(kinds[name], e)) == 0
}

// parseConsumer takes credentials and groups out of a consumer.
func (s *state) parseConsumer(kinds map[string]*kind, names map[string]string, id string, e object) bool {
	for _, k := range kinds {
		if !k.credential() {
			continue
		}
		list, _ := e[k.deck].([]any)
		for _, v := range list {
			c, _ := v.(object)
			if !isUUID(text(c, "id")) {
				return false
			}
			c["consumer"] = object{"id": id}
			s.entities[k.name][text(c, "id")] = c
		}
		delete(e, k.deck)
	}
	list, _ := e["groups"].([]any)
	for _, v := range list {
		g, _ := v.(object)
		group, ok := names[text(g, "name")]
		if !ok {
			return false
		}
		s.join(id, group)
	}
	delete(e, "groups")
	return true
}

// unknown lists the fields that entities of a kind do not have.
func unknown(k *kind, e object) []string {
	var names []string
	for name := range e {
		if k.shape.fields[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// load reads a state with package config, whose checks are all there are.
func (d document) load(options config.Options) (*config.Config, []config.Warning, error) {
	return config.Load([]config.Source{{Name: "admin.json", Data: d.data}}, options)
}
