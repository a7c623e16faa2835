package admin

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"semlb/config/schema"
)

// schemas answers with the fields of entities, and checks entities that it does not keep.
type schemas struct {
	store *store
	live  Live
}

// entity answers with the fields of the entities of a kind.
func (h *schemas) entity(r *request) (response, error) {
	k, err := h.kind(r)
	if err != nil {
		return response{}, err
	}
	return ok(object{"fields": publishFields(k.fields.Fields)})
}

func (h *schemas) kind(r *request) (*kind, error) {
	name := r.PathValue("kind")
	if k := h.store.kinds.named(name); k != nil {
		return k, nil
	}
	return nil, noEntity(name)
}

// plugin answers with the fields of a plugin.
func (h *schemas) plugin(r *request) (response, error) {
	name, k := r.PathValue("plugin"), h.store.kinds.named(plugins)
	switch {
	case name == schema.PluginName || k.byName[name] != nil:
		return ok(object{"fields": publishFields(k.fieldsOf(name).Fields)})
	case name == "validate":
		return h.unknown(r)
	default:
		return response{}, plainError(http.StatusNotFound, "No plugin named '"+name+"'")
	}
}

// unknown answers requests for a schema that does not exist, and those with a method that
// a path does not have.
func (h *schemas) unknown(r *request) (response, error) {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case len(r.path) == 3 && r.path[2] == "validate":
		r.allow = checkMethods
		return response{}, notAllowed()
	case !reads:
		r.allow = readMethods
		return response{}, notAllowed()
	default:
		return response{}, noEntity(strings.Join(r.path[1:], "/"))
	}
}

func noEntity(name string) error {
	return plainError(http.StatusNotFound, "No entity named '"+name+"'")
}

// anonymousOf returns the consumer of anonymous requests that a plugin's settings name, or
// "".
func anonymousOf(plugin object) string {
	settings, _ := plugin["config"].(object)
	return text(settings, "anonymous")
}

// uuidOf returns a text that is an id, and "" for any other.
func uuidOf(text string) string {
	if isUUID(text) {
		return text
	}
	return ""
}

// validate checks an entity as a write does, and keeps nothing.
func (h *schemas) validate(r *request) (response, error) {
	k, err := h.kind(r)
	if err != nil {
		return response{}, err
	}
	body, err := readBody(r, k.fieldsOf)
	if err != nil {
		return response{}, err
	}
	for _, ref := range k.references {
		delete(body, ref.field) // no other entity takes part
	}
	s := newState(h.store.kinds)
	if name := anonymousOf(body); name != "" {
		s.put(&entity{kind: h.store.kinds.named(consumers), fields: object{"id": cmp.Or(uuidOf(name), uuid.NewString()), "username": name}})
	}
	u := upsert{scope: scope{kind: k}, body: body}
	if owner := k.owner(); owner != nil {
		u.field = owner.field
		u.parent = &entity{kind: h.store.kinds.named(owner.to), fields: object{"id": uuid.NewString(), "username": "anyone"}}
		s.put(u.parent)
	}
	d, err := u.draft(s)
	if err != nil {
		return response{}, err
	}
	s.put(d.entity)
	cfg, _, err := h.store.check(s.render(), edit{written: d.entity, violations: d.violations})
	if err != nil {
		return response{}, err
	}
	if err := h.live.Check(cfg); err != nil {
		return response{}, schemaViolation(wrong(err.Error()))
	}
	return ok(object{"message": "schema validation successful"})
}
