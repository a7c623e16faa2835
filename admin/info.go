package admin

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
)

// kongVersion is the version of Kong whose API this is, for clients that ask.
const kongVersion = "3.15.0"

// information answers what is no collection of entities. known is false for
// everything else.
func (a *API) information(r *request) (ans answer, f *failure, known bool) {
	path := strings.Join(r.path, "/")
	post := path == "schemas/plugins/validate" || len(r.path) == 3 && r.path[0] == "schemas" && r.path[2] == "validate"
	var answered func(*request) (answer, *failure)
	switch {
	case post:
		answered = a.validate
	case path == "" && r.prefix == "":
		answered = a.root
	case path == "status":
		answered = a.status
	case path == "config":
		answered = a.export
	case path == "plugins/enabled":
		answered = func(*request) (answer, *failure) { return ok(object{"enabled_plugins": []any{pluginName}}) }
	case len(r.path) > 0 && len(r.path) <= 2 && r.path[0] == "tags":
		answered = a.tags
	case len(r.path) >= 2 && r.path[0] == "schemas":
		answered = a.schema
	default:
		return answer{}, nil, false
	}
	if reading := r.Method == http.MethodGet || r.Method == http.MethodHead; reading == post || !reading && r.Method != http.MethodPost {
		return answer{}, notAllowed(), true
	}
	ans, f = answered(r)
	return ans, f, true
}

// root answers as Kong's "/" does, with what there is to say.
func (a *API) root(*request) (answer, *failure) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	database := "file"
	if a.ReadOnly() {
		database = "off"
	}
	return ok(object{
		"version": kongVersion, "edition": "semlb", "tagline": "semlb speaks Kong's Admin API", "hostname": host, "node_id": a.nodeID,
		"plugins": object{
			"available_on_server": object{pluginName: object{"version": kongVersion}},
			"enabled_in_cluster":  a.enabled(),
		},
		"configuration": object{"database": database, "admin_listen": []any{a.options.Listen}},
	})
}

func (a *API) enabled() []any {
	if len(a.current.Load().state.entities[plugins]) == 0 {
		return []any{}
	}
	return []any{pluginName}
}

func (a *API) status(*request) (answer, *failure) {
	s := a.current.Load()
	count := object{}
	for name, set := range s.state.entities {
		count[a.kinds[name].path] = len(set)
	}
	// Of changes that are not in force Kong says nothing here: they cannot be.
	configuration := object{"refused": nil}
	if err := (*a.live.Load()).Refused(); err != nil {
		configuration["refused"] = err.Error()
	}
	return ok(object{
		"database": object{"reachable": true}, "configuration_hash": s.hash, "configuration": configuration, "entities": count,
	})
}

// export answers with the state as a decK file.
func (a *API) export(r *request) (answer, *failure) {
	if r.URL.Query().Has("export") && !r.reveals() {
		return answer{}, plainFailure(http.StatusForbidden, "An export needs the token, and export=secrets")
	}
	s := a.current.Load().state
	if !r.reveals() {
		masked := newState()
		masked.groups = s.groups
		for name, set := range s.entities {
			for id, e := range set {
				masked.entities[name][id], _ = a.kinds[name].shape.masked(e).(object)
			}
		}
		s = masked
	}
	return answer{http.StatusOK, json.RawMessage(s.render(a.kinds).data)}, nil
}

// tags lists which entities have which tags.
func (a *API) tags(r *request) (answer, *failure) {
	s := a.current.Load().state
	data := []any{}
	for _, name := range kindOrder() {
		for _, e := range s.all(name, nil) {
			list, _ := e["tags"].([]any)
			for _, tag := range list {
				if len(r.path) == 1 || tag == r.path[1] {
					data = append(data, object{"entity_name": name, "entity_id": e["id"], "tag": tag})
				}
			}
		}
	}
	// There is one page: the state is bounded, and so are its tags.
	return ok(r.paged(data, ""))
}

// schema answers with the fields of an entity or of the plugin.
func (a *API) schema(r *request) (answer, *failure) {
	if r.path[1] == plugins && len(r.path) == 3 {
		if r.path[2] != pluginName {
			return answer{}, plainFailure(http.StatusNotFound, "No plugin named '"+r.path[2]+"'")
		}
		return ok(object{"fields": a.kinds[plugins].shape.published()})
	}
	k := a.kinds[r.path[1]]
	if k == nil || len(r.path) != 2 {
		return answer{}, plainFailure(http.StatusNotFound, "No entity named '"+strings.Join(r.path[1:], "/")+"'")
	}
	return ok(object{"fields": k.shape.published()})
}

// validate checks an entity as if it was written, and keeps nothing.
func (a *API) validate(r *request) (answer, *failure) {
	k := a.kinds[r.path[1]]
	if k == nil {
		return answer{}, plainFailure(http.StatusNotFound, "No entity named '"+r.path[1]+"'")
	}
	body, f := readBody(r.w, r.Request, k.shape)
	if f != nil {
		return answer{}, f
	}
	for _, ref := range k.refs {
		delete(body, ref.field) // validated without the rest of the world
	}
	d := &draft{kind: k, body: body}
	s := newState()
	if k.credential() {
		someone := object{"id": newUUID(), "username": "anyone"}
		s.entities[consumers][text(someone, "id")] = someone
		d.own(&owner{field: "consumer", id: text(someone, "id")})
	}
	e, violations, f := a.entity(s, d)
	if f != nil {
		return answer{}, f
	}
	id := text(e, "id")
	s.entities[k.name][id] = e
	doc := s.render(a.kinds)
	cfg, _, err := doc.load(a.options.Load)
	if f := a.refusal(s, doc, edit{entity: entityID{k.name, id}, violations: violations}, err); f != nil {
		return answer{}, f
	}
	if err := (*a.live.Load()).Check(cfg); err != nil {
		return answer{}, schemaViolation([]violation{wrong(err.Error())})
	}
	return ok(object{"message": "schema validation successful"})
}
