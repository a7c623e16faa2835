package admin

import (
	"bytes"
	"fmt"
	"maps"
	"strings"

	"semlb/config"
	"semlb/config/load"
)

// document is a state as a decK file.
type document struct {
	data []byte
	// entities are by their paths, such as "consumers[0].jwt_secrets[1]".
	entities map[string]*entity
}

// find returns the entity that a path leads into, or nil, and the rest of the path.
func (d document) find(path string) (*entity, string) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if e := d.entities[path[:end]]; e != nil {
			return e, strings.TrimPrefix(path[end:], ".")
		}
	}
	return nil, path
}

// render writes a state as one decK file in JSON.
func (s *state) render() document {
	d := document{entities: map[string]*entity{}}
	root := object{"_format_version": "3.0"}
	for _, k := range s.kinds {
		if k.owner() == nil {
			d.list(root, "", k, s.all(k.name), func(path string, e *entity) object { return d.entity(s, path, e) })
		}
	}
	// config fills in templates before it reads the JSON. What a client wrote is no
	// template.
	d.data = bytes.ReplaceAll(toJSON(root, " "), []byte("${{"), []byte(`$\u007b{`))
	return d
}

// list adds a list of entities to an object at a path.
func (d document) list(to object, path string, k *kind, entities []*entity, write func(string, *entity) object) {
	if len(entities) == 0 {
		return
	}
	list := make([]any, len(entities))
	for i, e := range entities {
		at := fmt.Sprintf("%s%s[%d]", path, k.name, i)
		d.entities[at] = e
		list[i] = write(at, e)
	}
	to[k.name] = list
}

// entity returns an entity as a decK file has it.
func (d document) entity(s *state, path string, e *entity) object {
	out := maps.Clone(e.fields)
	switch e.kind.name {
	case plugins:
		for _, r := range e.kind.references {
			if key, ok := out[r.field].(object); ok {
				out[r.field] = firstText(key, "id", "name", "username")
			}
		}
	case consumers:
		for _, k := range s.kinds.owned(e.kind) {
			d.list(out, path+".", k, s.children(k, e), func(_ string, c *entity) object { return withoutOwner(c) })
		}
		var list []any
		for _, g := range s.members(e) {
			list = append(list, object{"name": g.text("name")})
		}
		if list != nil {
			out["groups"] = list
		}
	}
	return out
}

func withoutOwner(e *entity) object {
	out := maps.Clone(e.fields)
	delete(out, e.kind.owner().field)
	return out
}

// load reads a document with package config, whose checks decide what is valid.
func (d document) load(options load.Options) (*config.Config, []config.Warning, error) {
	return load.Sources([]load.Source{{Name: "admin.json", Data: d.data}}, options)
}
